import { setTimeout as sleep } from 'node:timers/promises';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import type { LoadReport } from './harness/replica.messages.js';
import { Stage, type Grant } from './harness/stage.js';
import { mergeTallies, sum } from './harness/statistics.js';

interface Pauses {
  readonly replicas: number;
  readonly pauses: number;
  readonly grants: number;
  /** Shortest and longest time between two pauses of a process, in milliseconds. */
  readonly runMs: readonly [number, number];
  /** Shortest and longest, in milliseconds. */
  readonly pauseMs: readonly [number, number];
  readonly stalls: number;
  readonly stallMs: number;
  /** Replicas that stall at the same time: each burns a core. */
  readonly stallLanes: number;
  readonly refresh: {
    readonly requestTimeoutMs: number;
    readonly leaseMarginMs: number;
    readonly leaseMs: number;
    readonly quarantineMs: number;
    readonly restartGraceMs: number;
  };
}

/** Leases are shorter than the longest pauses; the quarantine is longer, as it has to be. */
const SIZES: Readonly<Record<'short' | 'long', Pauses>> = {
  short: {
    replicas: 3,
    pauses: 12,
    grants: 6,
    runMs: [200, 900],
    pauseMs: [300, 2_800],
    stalls: 3,
    stallMs: 2_000,
    stallLanes: 1,
    refresh: {
      requestTimeoutMs: 1_500,
      leaseMarginMs: 100,
      leaseMs: 2_200,
      quarantineMs: 6_000,
      restartGraceMs: 10_000,
    },
  },
  long: {
    replicas: 10,
    pauses: 200,
    grants: 60,
    runMs: [1_000, 5_000],
    pauseMs: [1_000, 20_000],
    stalls: 50,
    stallMs: 5_000,
    stallLanes: 2,
    refresh: {
      requestTimeoutMs: 6_000,
      leaseMarginMs: 1_000,
      leaseMs: 9_000,
      quarantineMs: 30_000,
      restartGraceMs: 30_000,
    },
  },
};
/** Long enough that most pauses begin with requests on the wire. */
const ANSWER_MS = 250;
const IN_FLIGHT = 3;

await prove('pause', async (proof) => {
  const plan = SIZES[proof.size];
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family', delayMs: { token: ANSWER_MS } } },
    refresh: { ...plan.refresh, callerWaitMs: 1_000 },
    history: true,
  });
  // Shared by all: what a paused process holds, another one wants.
  const grants = await stage.connect(plan.grants);
  const replicas = await stage.startReplicas(plan.replicas);
  await pauseAll(proof, replicas, grants, plan);
  await stallSome(proof, replicas, grants, plan);
  const { pending } = await stage.settle(plan.refresh.quarantineMs * 2);
  proof.figure({ figure: 'attempts still unresolved', value: pending, bound: { equals: 0 } });
  await judge(proof, stage);
  await stage.close();
});

async function pauseAll(
  proof: Proof,
  replicas: readonly Replica[],
  grants: readonly Grant[],
  plan: Pauses,
): Promise<void> {
  await startLoad(proof, replicas, grants);
  const beyondLease: number[] = [];
  let done = 0;
  const pauseOften = async (replica: Replica, times: number) => {
    for (let time = 0; time < times; time++) {
      await sleep(proof.random.whole(...plan.runMs));
      const ms = proof.random.whole(...plan.pauseMs);
      await replica.pause(ms);
      if (ms > plan.refresh.leaseMs) beyondLease.push(ms);
      proof.progress(`${++done} of ${plan.pauses} pauses`);
    }
  };
  await Promise.all(
    replicas.map((replica, at) => pauseOften(replica, share(plan.pauses, replicas.length, at))),
  );
  proof.figure({ figure: 'pauses (SIGSTOP, SIGCONT)', value: done, bound: { equals: plan.pauses } });
  proof.figure({ figure: 'of them longer than the lease', value: beyondLease.length, bound: { atLeast: 1 } });
  tellLoad(proof, 'pauses', await stopLoad(replicas));
}

async function stallSome(
  proof: Proof,
  replicas: readonly Replica[],
  grants: readonly Grant[],
  plan: Pauses,
): Promise<void> {
  await startLoad(proof, replicas, grants);
  let done = 0;
  const stallOften = async (mine: readonly Replica[], times: number) => {
    for (let time = 0; time < times; time++) {
      await sleep(proof.random.whole(100, 400));
      await proof.random.one(mine).stall(time % 2 === 0 ? 'timer' : 'io', plan.stallMs);
      proof.progress(`${++done} of ${plan.stalls} stalls`);
    }
  };
  const lanes = Array.from({ length: plan.stallLanes }, (_, lane) =>
    stallOften(
      replicas.filter((_replica, at) => at % plan.stallLanes === lane),
      share(plan.stalls, plan.stallLanes, lane),
    ),
  );
  await Promise.all(lanes);
  const name = `event loop stalls of ${plan.stallMs} ms`;
  proof.figure({ figure: name, value: done, bound: { equals: plan.stalls } });
  tellLoad(proof, 'stalls', await stopLoad(replicas));
}

async function judge(proof: Proof, stage: Stage): Promise<void> {
  const none = { equals: 0 };
  const findings = await stage.check();
  proof.figure({ figure: 'refreshes that reached Notion', value: findings.refreshes });
  proof.figure({ figure: 'attempts of unknown outcome', value: findings.attempts['unknown'] ?? 0 });
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: none });
  proof.figure({ figure: 'families revoked', value: findings.familiesRevoked, bound: none });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: none });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: none });
  const held = findings.replaysSuccessorHeld;
  proof.figure({ figure: 'spent token presented though held', value: held, bound: none });
  proof.figure({ figure: 'version went down', value: findings.versionRegressions, bound: none });
  proof.figure({ figure: 'attempts unaccounted for', value: findings.unaccounted, bound: none });
}

async function startLoad(
  proof: Proof,
  replicas: readonly Replica[],
  grants: readonly Grant[],
): Promise<void> {
  const authorizationIds = grants.map(({ id }) => id);
  const start = (replica: Replica) =>
    replica.startLoad({
      authorizationIds,
      kind: 'refresh',
      parallel: IN_FLIGHT,
      pauseMs: 50,
      seed: proof.random.whole(1, 2 ** 30),
    });
  await Promise.all(replicas.map(start));
}

function stopLoad(replicas: readonly Replica[]): Promise<LoadReport[]> {
  return Promise.all(replicas.map((replica) => replica.stopLoad()));
}

function tellLoad(proof: Proof, during: string, reports: readonly LoadReport[]): void {
  const outcomes = mergeTallies(reports.map((report) => report.outcomes));
  proof.say(`${during}: ${JSON.stringify(outcomes)}`);
  // Without refreshes nothing would have been at stake.
  const renewed = outcomes['renewed'] ?? 0;
  proof.figure({ figure: `${during}: refreshes renewed`, value: renewed, bound: { atLeast: 10 } });
  const untyped = sum(reports.map((report) => report.untyped));
  proof.figure({ figure: `${during}: untyped errors`, value: untyped, bound: { equals: 0 } });
}

/** The part of `whole` that falls to one of so many. */
function share(whole: number, among: number, at: number): number {
  return Math.floor(whole / among) + (at < whole % among ? 1 : 0);
}
