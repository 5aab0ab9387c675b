import { setTimeout as sleep } from 'node:timers/promises';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import { Stage, type Grant } from './harness/stage.js';
import type { Step } from './harness/steps.js';

const STEPS: readonly Step[] = ['after_claim', 'after_journal', 'after_commit'];
/** A process that has not reached its step by then is killed where it stands. */
const LONGEST_WAIT_MS = 5_000;
/** A pair answered this long before a random kill, or less, may have been on its way. */
const WINDOW_MS = 1_000;

await prove('sqlite', async (proof) => {
  const stage = await Stage.open(proof, {
    engine: 'sqlite',
    notion: { modes: { rotation: 'reuse_kills_family' } },
    refresh: {
      requestTimeoutMs: 2_000,
      leaseMarginMs: 500,
      leaseMs: 4_000,
      restartGraceMs: 6_000,
      quarantineMs: 8_000,
      failoverHoldMs: 6_000,
    },
  });
  const grants = await stage.connect(proof.pick({ short: 40, long: 200 }));
  const processes = proof.pick({ short: 3, long: 4 });
  const lanes: Lane[] = [];
  for (let at = 0; at < processes; at++) {
    const options = stage.replicaOptions({ journalFolder: stage.journalFolder() }, { direct: true });
    lanes.push({ replica: await stage.startReplica({ watched: true }, options), at });
  }
  await rollBack(proof, stage, lanes, grants);
  const randomKills = await killAll(proof, stage, lanes, grants);
  await judge(proof, stage, lanes, grants, randomKills);
});

interface Lane {
  /** The process of the moment; each has its own journal. */
  replica: Replica;
  readonly at: number;
}

/** The host takes back its own work in the same processes, on the same file, and nothing of ours with it. */
async function rollBack(
  proof: Proof,
  stage: Stage,
  lanes: readonly Lane[],
  grants: readonly Grant[],
): Promise<void> {
  const wanted = proof.pick({ short: 50, long: 1_000 });
  const each = Math.ceil(wanted / lanes.length);
  const mark = await stage.notion.ledger.mark();
  for (const lane of lanes) await load(proof, lane, grants);
  const left = await Promise.all(lanes.map(({ replica }) => replica.hostRollbacks(each)));
  for (const { replica } of lanes) proof.say(JSON.stringify((await replica.stopLoad()).outcomes));
  const rotations = await stage.notion.ledger.since(mark).rotations();
  const findings = await stage.check();
  const name = `${each * lanes.length} rollbacks of the host`;
  proof.figure({ figure: `${name}: pairs issued meanwhile`, value: rotations, bound: { atLeast: 1 } });
  proof.figure({ figure: `${name}: rows of the host left`, value: Math.max(...left), bound: { equals: 0 } });
  proof.figure({
    figure: `${name}: lost writes`,
    value: grants.length - findings.good,
    bound: { equals: 0 },
  });
}

/** @returns When processes were killed at no step in particular. */
async function killAll(
  proof: Proof,
  stage: Stage,
  lanes: readonly Lane[],
  grants: readonly Grant[],
): Promise<readonly number[]> {
  const wanted = proof.pick({ short: 10, long: 200 });
  const randomKills: number[] = [];
  let begun = 0;
  let done = 0;
  const work = async (lane: Lane) => {
    while (begun < wanted) {
      const number = begun++;
      await load(proof, lane, grants);
      // Every other kill at random: also in the middle of a write.
      if (number % 2 === 0)
        await killAtStep(lane.replica, STEPS[(number / 2) % STEPS.length] ?? 'after_commit', proof);
      else randomKills.push(await killAtRandom(lane.replica, proof));
      lane.replica = await stage.restart(lane.replica);
      proof.progress(`${++done} of ${wanted} processes killed`);
    }
  };
  await Promise.all(lanes.map(work));
  proof.figure({ figure: 'processes killed', value: begun, bound: { atLeast: wanted } });
  return randomKills;
}

async function killAtStep(replica: Replica, step: Step, proof: Proof): Promise<void> {
  await replica.arm({ step, skip: proof.random.whole(0, 5) }).catch(() => undefined);
  await Promise.race([replica.gone, sleep(LONGEST_WAIT_MS)]);
  await replica.kill();
}

async function killAtRandom(replica: Replica, proof: Proof): Promise<number> {
  await sleep(proof.random.whole(50, 500));
  await replica.kill();
  // Asked afterwards: Notion may have answered between an order to kill and its being carried out.
  return Date.now();
}

/** A pair that was on its way to a process killed at random is the one loss that nobody can prevent. */
async function judge(
  proof: Proof,
  stage: Stage,
  lanes: readonly Lane[],
  grants: readonly Grant[],
  randomKills: readonly number[],
): Promise<void> {
  const { pending } = await stage.settle(60_000);
  await Promise.all(lanes.map(({ replica }) => replica.stop()));
  const findings = await stage.check();
  const tokens = await stage.notion.ledger.tokens({ kind: 'refresh' });
  const lost = findings.rows.filter(({ verdict }) => verdict !== 'good');
  const isExcused = (botId: string) => {
    const newest = tokens.filter((token) => token.botId === botId).at(-1);
    const issuedAtMs = newest?.issuedAtMs ?? 0;
    return randomKills.some((atMs) => atMs >= issuedAtMs && atMs - issuedAtMs < WINDOW_MS);
  };
  const inWindow = lost.filter(({ botId }) => isExcused(botId)).length;
  proof.say(JSON.stringify(findings.attempts));
  const [integrity] = await stage.readRows((rows) =>
    rows.query<{ integrity_check: string }>('PRAGMA integrity_check'),
  );
  proof.figure({ figure: 'refreshes altogether', value: findings.refreshes });
  proof.figure({ figure: 'rows', value: findings.rows.length, bound: { equals: grants.length } });
  proof.figure({ figure: 'lost writes', value: lost.length - inWindow, bound: { equals: 0 } });
  proof.figure({ figure: 'answers on the wire when a random kill came', value: inWindow });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: { equals: 0 } });
  proof.figure({
    figure: 'spent tokens presented with the successor held',
    value: findings.replaysSuccessorHeld,
    bound: { equals: 0 },
  });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: { equals: 0 } });
  proof.figure({ figure: 'attempts unaccounted for', value: findings.unaccounted, bound: { equals: 0 } });
  proof.figure({ figure: 'attempts left unresolved', value: pending, bound: { equals: 0 } });
  const isSound = integrity?.integrity_check === 'ok';
  proof.figure({ figure: 'damaged files', value: isSound ? 0 : 1, bound: { equals: 0 } });
}

/** One refresh at a time in each process, so that a kill hits one. */
function load(proof: Proof, { replica, at }: Lane, grants: readonly Grant[]): Promise<void> {
  const authorizationIds = grants.map(({ id }) => id);
  return replica.startLoad({
    kind: 'refresh',
    authorizationIds,
    parallel: 1,
    pauseMs: 5,
    seed: proof.seed + at,
  });
}
