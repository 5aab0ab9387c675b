import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerMark } from 'nestjs-notion-auth/testing';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import type { LoadReport, RefreshesReport } from './harness/replica.messages.js';
import { Stage, type Grant } from './harness/stage.js';
import { median, mergeTallies, sum, total } from './harness/statistics.js';

const SETTLE_MS = 60_000;
const LONGEST_START_MS = 5_000;

await prove('shutdown', async (proof) => {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' } },
    refresh: { maxConcurrent: 200 },
    history: true,
  });
  await rollingRestart(proof, stage);
  await streamUnderSigterm(proof, stage);
  await databaseDown(proof, stage);
  await judge(proof, stage);
});

/** One replica after another is told to go in the midst of its refreshes, while the others serve the same grants. */
async function rollingRestart(proof: Proof, stage: Stage): Promise<void> {
  const { processes, inFlight, delayMs } = proof.pick({
    short: { processes: 3, inFlight: 30, delayMs: 1_000 },
    long: { processes: 8, inFlight: 100, delayMs: 2_000 },
  });
  const name = `rolling restart of ${processes}, ${inFlight} refreshes in flight, Notion takes ${delayMs} ms`;
  const replicas = await stage.startReplicas(processes);
  await warmUp(replicas, await stage.connect(10));
  await stage.notion.configure({ delayMs: { token: delayMs } });
  const turns: Turn[] = [];
  for (let turn = 0; turn < processes; turn++) {
    const leaving = replicas[turn] as Replica;
    const others = replicas.filter((one) => one !== leaving);
    const taken = await restartDuring(proof, stage, leaving, others, await stage.connect(inFlight));
    proof.say(`replica ${turn + 1} of ${processes}: gone after ${taken.exitMs.toFixed(0)} ms`);
    turns.push(taken);
    replicas[turn] = await stage.restart(leaving);
  }
  await stage.notion.configure({ delayMs: { token: 0 } });
  const outcomes = mergeTallies(turns.flatMap(({ loads }) => loads.map((load) => load.outcomes)));
  const renewals = mergeTallies(turns.flatMap(({ refreshes }) => refreshes.map((report) => report.outcomes)));
  const unserved = total(renewals) - (renewals['renewed'] ?? 0) - (renewals['followed'] ?? 0);
  const failed = total(outcomes) - (outcomes['ok'] ?? 0) + unserved;
  if (failed > 0) proof.say(`on the others: ${JSON.stringify({ ...outcomes, ...renewals })}`);
  const exits = turns.map(({ exitMs }) => exitMs);
  const fewest = Math.min(...turns.map((turn) => turn.inFlight));
  const unit = 'ms';
  proof.figure({
    figure: `${name}: in flight at SIGTERM, fewest`,
    value: fewest,
    bound: { atLeast: inFlight },
  });
  proof.figure({
    figure: `${name}: calls on the others`,
    value: total(outcomes) + total(renewals),
    bound: { atLeast: 1 },
  });
  proof.figure({ figure: `${name}: failed calls on the others`, value: failed, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: exit, median`, value: median(exits), unit });
  proof.figure({
    figure: `${name}: exit, longest`,
    value: Math.max(...exits),
    unit,
    bound: { atMost: 5_000 },
  });
  await Promise.all(replicas.map((replica) => replica.stop()));
}

/** A fleet that is restarted has been at work: its code is compiled and its connections are open. */
async function warmUp(replicas: readonly Replica[], grants: readonly Grant[]): Promise<void> {
  for (const replica of replicas) {
    await replica.refreshAll(idsOf(grants));
    await Promise.all(grants.map(({ id }) => replica.call(id, 10)));
  }
}

interface Turn {
  /** Requests that Notion had not answered when SIGTERM was sent. */
  readonly inFlight: number;
  readonly exitMs: number;
  readonly loads: readonly LoadReport[];
  readonly refreshes: readonly RefreshesReport[];
}

/** All replicas have their share of the grants under way, and the others serve calls for all of them. */
async function restartDuring(
  proof: Proof,
  stage: Stage,
  leaving: Replica,
  others: readonly Replica[],
  grants: readonly Grant[],
): Promise<Turn> {
  await Promise.all(others.map((one) => serve(proof, one, grants)));
  const mark = await stage.notion.ledger.mark();
  const all = [leaving, ...others];
  const shares = all.map((one, at) => one.refreshAll(idsOf(grants.filter((_, n) => n % all.length === at))));
  // The answer of the one that leaves may get lost with it; the ledger and the rows tell.
  shares[0]?.catch(() => undefined);
  const inFlight = await untilInFlight(stage, mark, grants.length);
  const { tookMs: exitMs } = await leaving.terminate();
  const refreshes = await Promise.all(shares.slice(1));
  return { inFlight, exitMs, refreshes, loads: await Promise.all(others.map((one) => one.stopLoad())) };
}

/** Until so many refreshes are with Notion; the most there were, when it has taken too long (an overloaded machine). */
async function untilInFlight(stage: Stage, mark: LedgerMark, wanted: number): Promise<number> {
  const limitMs = performance.now() + LONGEST_START_MS;
  let most = 0;
  while (most < wanted && performance.now() < limitMs) {
    const requests = await stage.notion.ledger.since(mark).requests({ endpoint: 'token', status: null });
    most = Math.max(most, requests.length);
    await sleep(20);
  }
  return most;
}

function serve(proof: Proof, replica: Replica, grants: readonly Grant[]): Promise<void> {
  const seed = proof.random.whole(0, 2 ** 30);
  return replica.startLoad({
    kind: 'call',
    authorizationIds: idsOf(grants),
    parallel: 3,
    pauseMs: 100,
    seed,
  });
}

/** A process that does nothing but refresh is told to go, again and again, at any moment. */
async function streamUnderSigterm(proof: Proof, stage: Stage): Promise<void> {
  const times = proof.pick({ short: 5, long: 100 });
  const grants = await stage.connect(20);
  await stage.notion.configure({ delayMs: { token: 50 } });
  const mark = await stage.notion.ledger.mark();
  const exits: number[] = [];
  for (let time = 1; time <= times; time++) {
    const replica = await stage.startReplica();
    const seed = proof.random.whole(0, 2 ** 30);
    await replica.startLoad({ kind: 'refresh', authorizationIds: idsOf(grants), parallel: 8, seed });
    await sleep(proof.random.whole(20, 400));
    exits.push((await replica.terminate()).tookMs);
    proof.progress(`SIGTERM ${time} of ${times}`);
  }
  await stage.notion.configure({ delayMs: { token: 0 } });
  const name = `a process streaming refreshes, SIGTERM × ${times}`;
  await stage.settle(SETTLE_MS);
  const rotations = await stage.notion.ledger.since(mark).rotations();
  const dead = (await stage.check()).rows.filter(
    ({ id, verdict }) => isAmong(grants, id) && verdict !== 'good',
  );
  proof.figure({ figure: `${name}: refreshes`, value: rotations, bound: { atLeast: times } });
  proof.figure({ figure: `${name}: dead`, value: dead.length, bound: { equals: 0 } });
  const longest = Math.max(...exits);
  proof.figure({ figure: `${name}: exit, longest`, value: longest, unit: 'ms', bound: { atMost: 5_000 } });
}

/** The answers are here, the database is not, and the process must go: the journal is what is left. */
async function databaseDown(proof: Proof, stage: Stage): Promise<void> {
  const grants = await stage.connect(proof.pick({ short: 10, long: 50 }));
  const options = stage.replicaOptions({ journalFolder: stage.journalFolder(), drainMs: 2_000 });
  const replica = await stage.startReplica({}, options);
  await stage.notion.configure({ delayMs: { token: 2_000 } });
  const mark = await stage.notion.ledger.mark();
  void replica.refreshAll(idsOf(grants)).catch(() => undefined);
  const latestMs = performance.now() + 10_000;
  const areAllSent = async () => (await stage.notion.ledger.since(mark).rotations()) >= grants.length;
  while (!(await areAllSent()) && performance.now() < latestMs) await sleep(20);
  await stage.postgres.stop('immediate');
  proof.say('the database is down, the answers are on their way, and SIGTERM comes');
  await sleep(500);
  const { tookMs } = await replica.terminate();
  await stage.postgres.boot();
  await stage.notion.configure({ delayMs: { token: 0 } });
  const again = await stage.restart(replica);
  const { pending } = await stage.settle(SETTLE_MS);
  const rows = (await stage.check()).rows.filter(({ id }) => isAmong(grants, id));
  const kept = rows.filter(({ verdict, version }) => verdict === 'good' && version >= 2);
  const name = 'SIGTERM while the database is down, journal on';
  proof.figure({ figure: `${name}: pairs kept`, value: kept.length, bound: { equals: grants.length } });
  proof.figure({ figure: `${name}: pending afterwards`, value: pending, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: exit`, value: tookMs, unit: 'ms', bound: { atMost: 5_000 } });
  await again.stop();
}

/** Everything together, by Notion's ledger. */
async function judge(proof: Proof, stage: Stage): Promise<void> {
  const { pending } = await stage.settle(SETTLE_MS);
  const findings = await stage.check();
  const stored = sum(findings.rows.map(({ version }) => version - 1));
  const rotations = await stage.notion.ledger.rotations();
  const unknown = findings.attempts['unknown'] ?? 0;
  const zero = { equals: 0 };
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: zero });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: zero });
  proof.figure({ figure: 'families revoked', value: findings.familiesRevoked, bound: zero });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: zero });
  proof.figure({
    figure: 'replays while we held the successor',
    value: findings.replaysSuccessorHeld,
    bound: zero,
  });
  proof.figure({ figure: 'pairs issued and never stored', value: rotations - stored, bound: zero });
  proof.figure({ figure: 'attempts without an ending', value: findings.unaccounted, bound: zero });
  proof.figure({ figure: 'attempts that stayed unknown until they were resolved', value: unknown });
  proof.figure({ figure: 'rows still pending', value: pending, bound: zero });
}

function isAmong(grants: readonly Grant[], id: string): boolean {
  return grants.some((grant) => grant.id === id);
}

function idsOf(grants: readonly Grant[]): string[] {
  return grants.map(({ id }) => id);
}
