import { setTimeout as sleep } from 'node:timers/promises';
import { promote, startStandby, untilCaughtUp } from './harness/postgres.standby.js';
import type { PostgresServer } from './harness/postgres.server.js';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import { Stage, type Grant } from './harness/stage.js';
import { mergeTallies, total } from './harness/statistics.js';
import { TcpProxy } from './harness/tcp.proxy.js';

const REPLICAS = 3;
const OWNER = 'owner-1';
/** Longer than a restart takes here, and than the bound: what was not put back in time is spent again after it. */
const HOLD_MS = 12_000;
const BOUND_MS = 10_000;
const LOAD_ENDS_MS = HOLD_MS + 2_000;
const LOOK_EVERY_MS = 250;

await prove('failover', async (proof) => {
  const forgotten = proof.pick({ short: 40, long: 500 });
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' } },
    postgres: { settings: { wal_keep_size: '1GB' } },
    refresh: {
      requestTimeoutMs: 3_000,
      leaseMarginMs: 1_000,
      leaseMs: 6_000,
      restartGraceMs: HOLD_MS,
      failoverHoldMs: HOLD_MS,
      quarantineMs: 15_000,
      callerWaitMs: 5_000,
    },
  });
  const grants = await stage.connect(forgotten + proof.pick({ short: 10, long: 100 }));
  const primary = stage.postgres;
  const replication = await TcpProxy.start({ port: primary.port });
  proof.leftovers.onEnd(() => replication.close());
  const withJournal = stage.replicaOptions({ journalFolder: stage.journalFolder() });
  const [standby, journaled, ...replicas] = await Promise.all([
    startStandby(primary, replication.port, proof.leftovers),
    stage.startReplica({}, withJournal),
    ...Array.from({ length: REPLICAS }, () => stage.startReplica()),
  ]);
  await refreshEach([...replicas, journaled], grants, proof);
  await untilCaughtUp(primary);

  replication.spoil({ down: true });
  proof.say('replication is cut');
  const mark = await stage.notion.ledger.mark();
  const [left, returned, ...renewed] = grants as [Grant, Grant, ...Grant[]];
  await refreshEach([...replicas, journaled], renewed.slice(0, forgotten), proof);
  await changeByPeople(stage, replicas, { left, returned });
  const rotations = await stage.notion.ledger.since(mark).rotations();
  proof.figure({
    figure: 'refreshes committed on the primary alone',
    value: rotations,
    bound: { equals: forgotten },
  });

  const world = { stage, grants, replicas, journaled, left, returned };
  await failOver(proof, world, { primary, standby });
});

interface World {
  readonly stage: Stage;
  readonly grants: readonly Grant[];
  readonly replicas: readonly Replica[];
  /** Dies with the primary and comes back with its journal. */
  readonly journaled: Replica;
  readonly left: Grant;
  readonly returned: Grant;
}

async function failOver(
  proof: Proof,
  world: World,
  { primary, standby }: { readonly primary: PostgresServer; readonly standby: PostgresServer },
): Promise<void> {
  const { stage, grants, replicas, journaled } = world;
  const ids = grants.map(({ id }) => id);
  const mark = await stage.notion.ledger.mark();
  await journaled.kill();
  // Under way while the primary dies, and pressing all the time until claims are let through again.
  await Promise.all(replicas.map((replica, index) => press(replica, ids, proof.seed + index)));
  await sleep(500);
  await primary.stop('immediate');
  await sleep(500);
  // So that a process that knows nothing of the past is the first to meet the new server.
  for (const replica of replicas) replica.signal('SIGSTOP');
  await promote(standby);
  stage.failOver(standby);
  const spentAtFirst = await countSpent(stage);
  proof.figure({ figure: 'rows that held a spent token after the promotion', value: spentAtFirst });
  proof.say(`promoted; ${spentAtFirst} rows hold spent tokens`);
  const begin = new Date();
  const restarted = stage.restart(journaled);
  const newcomer = await stage.startReplica();
  await press(newcomer, ids, proof.seed + REPLICAS);
  for (const replica of replicas) replica.signal('SIGCONT');
  const reconnectedMs = performance.now();
  void restarted.then(() => {
    proof.say(`the process with a journal is back`);
  });
  const cleanMs = await watchUntil(proof, stage, reconnectedMs, BOUND_MS);
  const spent = await countSpent(stage);
  await sleep(Math.max(0, reconnectedMs + LOAD_ENDS_MS - performance.now()));

  const loads = await Promise.all([...replicas, newcomer].map((replica) => replica.stopLoad()));
  proof.figure({
    figure: 'spent tokens left in rows 10 s after reconnecting',
    value: spent,
    bound: { equals: 0 },
  });
  proof.figure({
    figure: 'from reconnecting to the last row put back',
    value: cleanMs,
    unit: 'ms',
    bound: { atMost: BOUND_MS },
  });
  await tellGate(proof, stage, begin);
  proof.figure({
    figure: 'refreshes that callers asked for meanwhile',
    value: total(mergeTallies(loads.map(({ outcomes }) => outcomes))),
  });
  proof.say(JSON.stringify(mergeTallies(loads.map(({ outcomes }) => outcomes))));
  await judge(proof, world, [...replicas, newcomer, await restarted], mark);
}

/** Every row is refreshed once more by whoever comes, then compared with the ledger. */
async function judge(
  proof: Proof,
  { stage, grants, left, returned }: World,
  replicas: readonly Replica[],
  mark: Awaited<ReturnType<Stage['notion']['ledger']['mark']>>,
): Promise<void> {
  const { pending } = await stage.settle(30_000);
  const outcomes = await refreshEach(replicas, grants, proof);
  const findings = await stage.check();
  const since = stage.notion.ledger.since(mark);
  proof.say(JSON.stringify({ outcomes, attempts: findings.attempts }));
  const { familiesRevoked, lost, wrongReconnects, overlaps } = findings;
  proof.figure({ figure: 'families revoked', value: familiesRevoked, bound: { equals: 0 } });
  proof.figure({
    figure: 'spent tokens presented',
    value: await since.replaysOfSpentTokens(),
    bound: { equals: 0 },
  });
  proof.figure({ figure: 'authorizations lost', value: lost, bound: { equals: 0 } });
  proof.figure({ figure: 'wrong reconnects', value: wrongReconnects, bound: { equals: 0 } });
  proof.figure({ figure: 'overlapping refreshes', value: overlaps, bound: { equals: 0 } });
  proof.figure({ figure: 'attempts left unresolved', value: pending, bound: { equals: 0 } });
  proof.figure({
    figure: 'refreshed once more afterwards',
    value: outcomes['renewed'] ?? 0,
    bound: { equals: grants.length - 1 },
  });
  const rowOf = (grant: Grant) => findings.rows.find(({ id }) => id === grant.id);
  const isGone = rowOf(left)?.status === 'revoked' && rowOf(left)?.refreshToken === null;
  proof.figure({ figure: 'disconnects put back', value: Number(isGone), bound: { equals: 1 } });
  const isBack = rowOf(returned)?.verdict === 'good' && rowOf(returned)?.status === 'active';
  proof.figure({ figure: 'reconnects put back', value: Number(isBack), bound: { equals: 1 } });
}

/** No refresh may reach Notion while the gate stands, whoever has just been started. */
async function tellGate(proof: Proof, stage: Stage, begin: Date): Promise<void> {
  const [gate] = await stage.readRows((rows) =>
    rows.query<{ closed_since: string; closed_until: string }>(
      `SELECT closed_since, closed_until FROM notion_refresh_gate WHERE gate = 'failover'`,
    ),
  );
  const untilMs = Number(gate?.closed_until ?? 0);
  const requests = await stage.notion.ledger.requests({ grantType: 'refresh_token' });
  const early = requests.filter(({ receivedAt }) => receivedAt >= begin && receivedAt.getTime() < untilMs);
  const heldMs = untilMs - Number(gate?.closed_since ?? 0);
  proof.figure({ figure: 'time the gate stood', value: heldMs, unit: 'ms', bound: { atLeast: HOLD_MS } });
  proof.figure({ figure: 'refreshes while the gate stood', value: early.length, bound: { equals: 0 } });
}

/** @returns How long it took until no row held a spent token. */
async function watchUntil(proof: Proof, stage: Stage, sinceMs: number, forMs: number): Promise<number> {
  let cleanMs = Infinity;
  while (performance.now() - sinceMs < forMs) {
    if (cleanMs === Infinity) {
      const spent = await countSpent(stage);
      if (spent === 0) cleanMs = performance.now() - sinceMs;
      proof.progress(`${spent} rows hold spent tokens`);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return cleanMs;
}

/** Rows whose refresh token Notion would refuse; the person who left has none. */
async function countSpent(stage: Stage): Promise<number> {
  const rows = await stage.readRows((stored) => stored.list());
  const tokens = await stage.notion.ledger.tokens({ kind: 'refresh' });
  const live = new Set(tokens.filter(({ status }) => status === 'live').map(({ value }) => value));
  return rows.filter(({ refreshToken }) => refreshToken !== null && !live.has(refreshToken)).length;
}

/** Each grant once, shared out among the replicas. */
async function refreshEach(
  replicas: readonly Replica[],
  grants: readonly Grant[],
  proof: Proof,
): Promise<Readonly<Record<string, number>>> {
  const outcomes: Readonly<Record<string, number>>[] = [];
  const BATCH = 20;
  const share = async (replica: Replica, index: number) => {
    const mine = grants.filter((_grant, at) => at % replicas.length === index).map(({ id }) => id);
    for (let from = 0; from < mine.length; from += BATCH) {
      outcomes.push((await replica.refreshAll(mine.slice(from, from + BATCH))).outcomes);
      proof.progress('refreshing');
    }
  };
  await Promise.all(replicas.map(share));
  return mergeTallies(outcomes);
}

async function changeByPeople(
  stage: Stage,
  [first, second]: readonly Replica[],
  { left, returned }: Pick<World, 'left' | 'returned'>,
): Promise<void> {
  await first?.disconnect(left.id, OWNER);
  const [person] = await stage.readRows((rows) =>
    rows.query<{ workspace_id: string; owner_user_id: string }>(
      `SELECT workspace_id, owner_user_id FROM notion_authorization WHERE id = '${returned.id}'`,
    ),
  );
  const code = await stage.notion.authorize({
    workspace: person?.workspace_id,
    person: person?.owner_user_id,
    redirectUri: stage.directOptions.redirectUris[0],
  });
  await second?.reconnect(returned.id, OWNER, code);
}

function press(replica: Replica, authorizationIds: readonly string[], seed: number): Promise<void> {
  return replica.startLoad({ kind: 'refresh', authorizationIds, parallel: 3, pauseMs: 20, seed });
}
