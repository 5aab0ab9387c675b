import { MariadbServer } from './harness/mariadb.server.js';
import { prove, type Proof } from './harness/proof.js';
import type { Engine } from './harness/proof.options.js';
import type { Replica } from './harness/replica.js';
import type { CallsReport } from './harness/replica.messages.js';
import { Stage, type Grant } from './harness/stage.js';
import { median, mergeTallies, sum, total } from './harness/statistics.js';

interface Race {
  readonly processes: number;
  /** Per process. */
  readonly calls: number;
  readonly expiries: number;
}

const RACES: Readonly<Record<Engine, Readonly<Record<'short' | 'long', Race>>>> = {
  postgres: {
    short: { processes: 4, calls: 500, expiries: 3 },
    long: { processes: 8, calls: 10_000, expiries: 10 },
  },
  mariadb: {
    short: { processes: 2, calls: 250, expiries: 3 },
    long: { processes: 4, calls: 1_000, expiries: 10 },
  },
  sqlite: {
    short: { processes: 2, calls: 250, expiries: 3 },
    long: { processes: 4, calls: 1_000, expiries: 10 },
  },
};
const BURST = { processes: 4, calls: 250 };

await prove('race', async (proof) => {
  for (const engine of ['postgres', 'mariadb', 'sqlite'] as const) {
    if (!proof.wants(engine)) continue;
    if (engine === 'mariadb' && !MariadbServer.isInstalled) proof.skip('mariadb', 'it is not installed here');
    else await race(proof, engine);
  }
});

/** Many callers in many processes meet one dead token at once, again and again. */
async function race(proof: Proof, engine: Engine): Promise<void> {
  const { processes, calls, expiries } = RACES[engine][proof.size];
  const stage = await Stage.open(proof, {
    engine,
    notion: { modes: { rotation: 'reuse_kills_family' } },
    // The wait of a call behind thousands of others of its own process is no wait for a refresh.
    outbound: { callTimeoutMs: 600_000 },
  });
  const [grant] = (await stage.connect(1)) as [Grant];
  const replicas = await stage.startReplicas(processes, {}, stage.replicaOptions({}, { direct: true }));
  const mark = await stage.notion.ledger.mark();
  const reports: CallsReport[] = [];
  for (let expiry = 1; expiry <= expiries; expiry++) {
    await stage.notion.expireAccessToken(grant.botId);
    const round = await burst(replicas, grant, calls);
    reports.push(...round);
    proof.say(`${engine}: expiry ${expiry} of ${expiries}, ${slowest(round).toFixed(0)} ms`);
  }
  const since = stage.notion.ledger.since(mark);
  const findings = await stage.check();
  const name = `${engine}, ${processes} processes × ${calls} calls × ${expiries} expiries`;
  const failures = total(mergeTallies(reports.map((report) => report.failures)));
  const made = processes * calls * expiries;
  proof.figure({ figure: `${name}: refreshes`, value: await since.refreshes(), bound: { equals: expiries } });
  proof.figure({ figure: `${name}: failed calls`, value: failures, bound: { equals: 0 } });
  const answered = sum(reports.map((report) => report.succeeded));
  proof.figure({ figure: `${name}: answered calls`, value: answered, bound: { equals: made } });
  const served = await since.apiCalls({ status: 200 });
  proof.figure({ figure: `${name}: calls that Notion answered 200`, value: served, bound: { equals: made } });
  const refused = (await since.refreshes()) - (await since.rotations());
  proof.figure({ figure: `${name}: invalid_grant`, value: refused, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: overlapping refreshes`, value: findings.overlaps, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: authorizations lost`, value: findings.lost, bound: { equals: 0 } });
  if (engine === 'postgres') await compareBursts(proof, stage, replicas.slice(0, BURST.processes), grant);
  await stage.close();
}

/** The same burst with a live token and with a dead one, in turn, so that whatever else runs here meets both. */
async function compareBursts(
  proof: Proof,
  stage: Stage,
  replicas: readonly Replica[],
  grant: Grant,
): Promise<void> {
  const rounds = proof.pick({ short: 11, long: 21 });
  const live: number[] = [];
  const dead: number[] = [];
  await burst(replicas, grant, BURST.calls);
  for (let round = 0; round < rounds; round++) {
    live.push(slowest(await burst(replicas, grant, BURST.calls)));
    await stage.notion.expireAccessToken(grant.botId);
    dead.push(slowest(await burst(replicas, grant, BURST.calls)));
    proof.progress(`bursts: round ${round + 1} of ${rounds}`);
  }
  const ratio = median(dead.map((tookMs, round) => tookMs / (live[round] ?? Number.NaN)));
  const name = `one expiry of ${BURST.processes * BURST.calls} calls over ${BURST.processes} processes`;
  proof.figure({ figure: `${name}, wall time`, value: median(dead), unit: 'ms' });
  proof.figure({ figure: `the same with a valid token, wall time`, value: median(live), unit: 'ms' });
  proof.figure({
    figure: `${name} / with a valid token`,
    value: ratio,
    unit: '×',
    bound: { atMost: 2 },
    isSpeed: true,
  });
}

function burst(replicas: readonly Replica[], grant: Grant, calls: number): Promise<CallsReport[]> {
  return Promise.all(replicas.map((replica) => replica.call(grant.id, calls)));
}

function slowest(reports: readonly CallsReport[]): number {
  return Math.max(...reports.map(({ tookMs }) => tookMs));
}
