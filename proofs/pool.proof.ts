import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import { Stage, type Grant } from './harness/stage.js';
import { percentile, sum } from './harness/statistics.js';

const REFRESHES = 60;
const POOL = 10;
const EVERY_MS = 20;
const CALLER_WAIT_MS = 20_000;
const SHORT_WAIT_MS = 2_000;
const SAMPLE_EVERY_MS = 200;

await prove('pool', async (proof) => {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' } },
    refresh: { callerWaitMs: CALLER_WAIT_MS, maxConcurrent: REFRESHES },
    history: true,
  });
  await busyPool(proof, stage);
  await poolOfOne(proof, stage);
  await insideTransactions(proof, stage);
  await withoutAnyConnection(proof, stage);
  const findings = await stage.check();
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: { equals: 0 } });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: { equals: 0 } });
});

/** Notion is slow, two processes want the same 60 pairs, and the host goes on with its own queries. */
async function busyPool(proof: Proof, stage: Stage): Promise<void> {
  const delayMs = proof.pick({ short: 2_000, long: 5_000 });
  const grants = await stage.connect(REFRESHES);
  const replicas = await startHosts(stage, POOL, 2);
  const alone = (await Promise.all(replicas.map((one) => one.hostQueries(1_000, EVERY_MS)))).flat();
  await stage.notion.configure({ delayMs: { token: delayMs } });
  const mark = await stage.notion.ledger.mark();
  proof.say(`${REFRESHES} refreshes at once in each of 2 processes, Notion takes ${delayMs} ms`);
  const [beside, refreshed, longest] = await Promise.all([
    Promise.all(replicas.map((one) => one.hostQueries(delayMs + 1_000, EVERY_MS))),
    Promise.all(replicas.map((one) => one.refreshAll(idsOf(grants)))),
    longestTransaction(stage, delayMs),
  ]);
  await stage.notion.configure({ delayMs: { token: 0 } });
  const queries = beside.flat();
  const name = `${REFRESHES} refreshes of ${delayMs} ms, pool of ${POOL}`;
  const unit = 'ms';
  proof.figure({ figure: 'unrelated query before, p99', value: percentile(alone, 0.99), unit });
  const p99 = percentile(queries, 0.99);
  proof.figure({
    figure: `${name}: unrelated query, p99`,
    value: p99,
    unit,
    bound: { below: 100 },
    isSpeed: true,
  });
  proof.figure({ figure: `${name}: unrelated query, longest`, value: Math.max(...queries), unit });
  proof.figure({ figure: `${name}: unrelated queries`, value: queries.length });
  proof.figure({
    figure: `${name}: longest transaction seen`,
    value: longest,
    unit,
    bound: { below: delayMs / 2 },
  });
  const since = stage.notion.ledger.since(mark);
  const refreshes = await since.refreshes();
  proof.figure({ figure: `${name}: refreshes`, value: refreshes, bound: { equals: REFRESHES } });
  const done = sum(refreshed.map(({ outcomes }) => (outcomes['renewed'] ?? 0) + (outcomes['followed'] ?? 0)));
  proof.figure({ figure: `${name}: callers served`, value: done, bound: { equals: 2 * REFRESHES } });
  await stopAll(replicas);
}

async function poolOfOne(proof: Proof, stage: Stage): Promise<void> {
  const grants = await stage.connect(20);
  const [replica] = (await startHosts(stage, 1, 1)) as [Replica];
  await stage.notion.configure({ delayMs: { token: 500 } });
  proof.say('a pool of 1');
  const mark = await stage.notion.ledger.mark();
  const [queries, { outcomes }] = await Promise.all([
    replica.hostQueries(1_500, EVERY_MS),
    replica.refreshAll(idsOf(grants)),
  ]);
  const rotations = await stage.notion.ledger.since(mark).rotations();
  const renewed = outcomes['renewed'] ?? 0;
  proof.figure({ figure: 'pool of 1: refreshes', value: rotations, bound: { equals: grants.length } });
  proof.figure({ figure: 'pool of 1: renewed', value: renewed, bound: { equals: grants.length } });
  proof.figure({ figure: 'pool of 1: unrelated query, p99', value: percentile(queries, 0.99), unit: 'ms' });
  await stopAll([replica]);
}

/** All connections but one are in transactions of the host, each of which waits for a refresh and is rolled back. */
async function insideTransactions(proof: Proof, stage: Stage): Promise<void> {
  const grants = await stage.connect(POOL - 1);
  const [replica] = (await startHosts(stage, POOL, 1)) as [Replica];
  proof.say(`refreshes inside ${POOL - 1} open transactions of the host`);
  const mark = await stage.notion.ledger.mark();
  const report = await replica.refreshInTransactions(idsOf(grants), CALLER_WAIT_MS + 5_000);
  const name = `inside ${POOL - 1} open transactions, pool of ${POOL}`;
  const renewed = report.outcomes['renewed'] ?? 0;
  proof.figure({ figure: `${name}: renewed`, value: renewed, bound: { equals: grants.length } });
  const rotations = await stage.notion.ledger.since(mark).rotations();
  proof.figure({ figure: `${name}: refreshes`, value: rotations, bound: { equals: grants.length } });
  const { rows } = await stage.check();
  const ids = new Set(idsOf(grants));
  const kept = rows.filter(({ id, version, verdict }) => ids.has(id) && version === 2 && verdict === 'good');
  proof.figure({
    figure: `${name}: pairs kept after the host's rollback`,
    value: kept.length,
    bound: { equals: grants.length },
  });
  proof.figure({
    figure: `${name}: rows of the host that outlived its rollback`,
    value: report.hostRows,
    bound: { equals: 0 },
  });
  await stopAll([replica]);
}

/** The host holds the only connection while it waits: nothing can be stored, so the caller must be told in time. */
async function withoutAnyConnection(proof: Proof, stage: Stage): Promise<void> {
  const [grant] = (await stage.connect(1)) as [Grant];
  const [replica] = (await startHosts(stage, 1, 1, { callerWaitMs: SHORT_WAIT_MS })) as [Replica];
  proof.say('a refresh inside a transaction that holds the only connection');
  const report = await replica.refreshInTransactions([grant.id], 4 * SHORT_WAIT_MS);
  proof.say(`it came to ${Object.keys(report.outcomes).join(', ')}`);
  proof.figure({
    figure: 'inside a transaction on a pool of 1: the caller is told after',
    value: report.tookMs,
    unit: 'ms',
    bound: { atMost: SHORT_WAIT_MS + 1_000 },
  });
  const after = await replica.refresh(grant.id);
  const works = after.kind === 'renewed' || after.kind === 'followed';
  proof.figure({ figure: 'the same pool afterwards: renewed', value: Number(works), bound: { equals: 1 } });
  await stopAll([replica]);
}

function startHosts(stage: Stage, hostPool: number, count: number, refresh = {}): Promise<Replica[]> {
  return stage.startReplicas(count, { hostPool }, stage.replicaOptions(refresh, { direct: true }));
}

/** The age of the oldest open transaction, looked at again and again, in milliseconds. */
async function longestTransaction(stage: Stage, forMs: number): Promise<number> {
  let longestMs = 0;
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    const [found] = await stage.postgres.query<{ ms: number | null }>(
      `SELECT max(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS ms
       FROM pg_stat_activity WHERE application_name = 'host' AND state <> 'active'`,
    );
    longestMs = Math.max(longestMs, found?.ms ?? 0);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
  }
  return longestMs;
}

async function stopAll(replicas: readonly Replica[]): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.stop()));
}

function idsOf(grants: readonly Grant[]): string[] {
  return grants.map(({ id }) => id);
}
