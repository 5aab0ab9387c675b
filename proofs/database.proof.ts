import { setTimeout as sleep } from 'node:timers/promises';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import type { LoadReport } from './harness/replica.messages.js';
import { Stage, type Grant } from './harness/stage.js';
import { mergeTallies, sum, total } from './harness/statistics.js';

const REPLICAS = 4;
/** An access token is used from memory for a minute at the longest. */
const CACHED_MS = 58_000;

await prove('database', async (proof) => {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' }, keptRequests: 500_000 },
    history: true,
    refresh: {
      requestTimeoutMs: 5_000,
      leaseMarginMs: 1_000,
      leaseMs: 10_000,
      restartGraceMs: 5_000,
      quarantineMs: 12_000,
      failoverHoldMs: 10_000,
      callerWaitMs: 5_000,
    },
  });
  const grants = await stage.connect(proof.pick({ short: 60, long: 300 }));
  const replicas = await stage.startReplicas(REPLICAS);
  await restartServer(proof, stage, replicas, grants);
  await killSessions(proof, stage, replicas, grants);
  await takeServerAway(proof, stage, replicas, grants);
  await judge(proof, stage, replicas, grants);
});

/** Broken off like a crash, again and again, with refreshes at every stage of their way. */
async function restartServer(
  proof: Proof,
  stage: Stage,
  replicas: readonly Replica[],
  grants: readonly Grant[],
): Promise<void> {
  const restarts = proof.pick({ short: 2, long: 20 });
  await refreshAllTheTime(replicas, grants, proof.seed);
  for (let restart = 1; restart <= restarts; restart++) {
    await sleep(proof.random.whole(500, 1_500));
    await stage.postgres.restartImmediately();
    proof.say(`restart ${restart} of ${restarts}`);
  }
  await sleep(1_000);
  tellLoad(proof, `${restarts} immediate restarts`, await stopAll(replicas));
}

async function killSessions(
  proof: Proof,
  stage: Stage,
  replicas: readonly Replica[],
  grants: readonly Grant[],
): Promise<void> {
  const wanted = proof.pick({ short: 60, long: 2_000 });
  await refreshAllTheTime(replicas, grants, proof.seed + 1);
  let killed = 0;
  while (killed < wanted) {
    await sleep(proof.random.whole(50, 250));
    killed += await stage.postgres.killSessions(proof.random, 0.3);
    proof.progress(`${killed} of ${wanted} sessions killed`);
  }
  await sleep(1_000);
  proof.figure({ figure: 'sessions killed', value: killed, bound: { atLeast: wanted } });
  tellLoad(proof, 'killed sessions', await stopAll(replicas));
}

/** Nothing can be claimed, so nothing may be spent; what is known serves on. */
async function takeServerAway(
  proof: Proof,
  stage: Stage,
  replicas: readonly Replica[],
  grants: readonly Grant[],
): Promise<void> {
  const downMs = proof.pick({ short: 6_000, long: 60_000 });
  const name = `database down ${downMs / 1_000} s`;
  const [callers, refreshers] = [replicas.slice(0, 2), replicas.slice(2)];
  await stage.settle(30_000);
  // Older tokens would leave the memory while the server is away.
  await sleep(proof.pick({ short: 0, long: CACHED_MS + 2_000 }));
  // Every token was used once: those who call have them all in memory.
  const warmedMs = performance.now();
  for (const replica of callers) await warm(replica, grants);
  const mark = await stage.notion.ledger.mark();
  const rssBefore = await rssOf(replicas);
  await stage.postgres.stop('immediate');
  const stoppedMs = performance.now();
  const ids = grants.map(({ id }) => id);
  await Promise.all(
    callers.map((replica, index) =>
      replica.startLoad({
        kind: 'call',
        authorizationIds: ids,
        parallel: 4,
        pauseMs: 50,
        seed: proof.seed + index,
      }),
    ),
  );
  await refreshAllTheTime(refreshers, grants, proof.seed + 2);
  proof.say(name);
  await sleep(Math.min(downMs, CACHED_MS - (performance.now() - warmedMs)));
  const calls = await stopAll(callers);
  await sleep(Math.max(0, downMs - (performance.now() - stoppedMs)));
  const begun = await stage.notion.ledger.since(mark).refreshes();
  const served = await stage.notion.ledger.since(mark).apiCalls({ status: 200 });
  const refreshes = await stopAll(refreshers);
  const rssAfter = await rssOf(replicas);
  await stage.postgres.boot();
  const made = sum(calls.map(({ done }) => done));
  proof.figure({ figure: `${name}: calls made with tokens from memory`, value: made, bound: { atLeast: 1 } });
  proof.figure({ figure: `${name}: of them answered 200 by Notion`, value: served, bound: { equals: made } });
  proof.figure({ figure: `${name}: refreshes begun`, value: begun, bound: { equals: 0 } });
  const asked = sum(refreshes.map(({ done }) => done));
  proof.figure({ figure: `${name}: refreshes asked for`, value: asked, bound: { atLeast: 1 } });
  proof.figure({
    figure: `${name}: untyped errors`,
    value: sum([...calls, ...refreshes].map(({ untyped }) => untyped)),
    bound: { equals: 0 },
  });
  proof.figure({
    figure: `${name}: growth of memory, worst`,
    value: (rssAfter - rssBefore) / 2 ** 20,
    unit: 'MiB',
  });
}

/** Everybody is back to work without help, and every row holds the pair that Notion takes. */
async function judge(
  proof: Proof,
  stage: Stage,
  replicas: readonly Replica[],
  grants: readonly Grant[],
): Promise<void> {
  // A call asks twice at the most: a token in memory that another process has replaced must not be the first.
  for (const replica of replicas) await warm(replica, grants);
  await stage.notion.expireAllAccessTokens();
  const shares = replicas.map((replica, index) =>
    Promise.all(
      grants.filter((_grant, at) => at % replicas.length === index).map(({ id }) => replica.call(id, 1)),
    ),
  );
  const reports = (await Promise.all(shares)).flat();
  const answered = sum(reports.map(({ succeeded }) => succeeded));
  proof.say(`calls that failed: ${JSON.stringify(mergeTallies(reports.map(({ failures }) => failures)))}`);
  const { pending } = await stage.settle(60_000);
  const exits = replicas.filter(({ isAlive }) => !isAlive).length;
  const findings = await stage.check();
  proof.say(JSON.stringify(findings.attempts));
  proof.figure({ figure: 'refreshes altogether', value: findings.refreshes });
  proof.figure({
    figure: 'calls afterwards, each with an expired token',
    value: answered,
    bound: { equals: grants.length },
  });
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: { equals: 0 } });
  proof.figure({
    figure: 'rows that hold the live pair',
    value: findings.good,
    bound: { equals: grants.length },
  });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: { equals: 0 } });
  proof.figure({ figure: 'process exits', value: exits, bound: { equals: 0 } });
  proof.figure({ figure: 'families revoked', value: findings.familiesRevoked, bound: { equals: 0 } });
  proof.figure({
    figure: 'spent tokens presented with the successor held',
    value: findings.replaysSuccessorHeld,
    bound: { equals: 0 },
  });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: { equals: 0 } });
  proof.figure({
    figure: 'versions that went back',
    value: findings.versionRegressions,
    bound: { equals: 0 },
  });
  proof.figure({ figure: 'attempts unaccounted for', value: findings.unaccounted, bound: { equals: 0 } });
  proof.figure({ figure: 'attempts left unresolved', value: pending, bound: { equals: 0 } });
}

/** By calls: where another process has renewed since, the token in memory is a dead one. */
async function warm(replica: Replica, grants: readonly Grant[]): Promise<void> {
  await Promise.all(grants.map(({ id }) => replica.call(id, 1)));
}

async function refreshAllTheTime(
  replicas: readonly Replica[],
  grants: readonly Grant[],
  seed: number,
): Promise<void> {
  const authorizationIds = grants.map(({ id }) => id);
  const begin = (replica: Replica, index: number) =>
    replica.startLoad({
      kind: 'refresh',
      authorizationIds,
      parallel: 3,
      pauseMs: 10,
      seed: seed * 100 + index,
    });
  await Promise.all(replicas.map(begin));
}

function stopAll(replicas: readonly Replica[]): Promise<LoadReport[]> {
  return Promise.all(replicas.map((replica) => replica.stopLoad()));
}

function tellLoad(proof: Proof, name: string, loads: readonly LoadReport[]): void {
  const outcomes = mergeTallies(loads.map((load) => load.outcomes));
  proof.say(`${name}: ${JSON.stringify(outcomes)}`);
  proof.figure({ figure: `${name}: refreshes asked for`, value: total(outcomes) });
  proof.figure({ figure: `${name}: renewed`, value: outcomes['renewed'] ?? 0 });
}

async function rssOf(replicas: readonly Replica[]): Promise<number> {
  return Math.max(...(await Promise.all(replicas.map(async (replica) => (await replica.stats()).rssBytes))));
}
