import { setTimeout as sleep } from 'node:timers/promises';
import { BareRefreshes } from './harness/bare.refresh.js';
import { explainClaim } from './harness/claim.plan.js';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import { Stage } from './harness/stage.js';
import { median } from './harness/statistics.js';

const DAY_MS = 86_400_000;
const OVERDUE = { maxTokenAgeMs: DAY_MS };
const AT_ONCE = 64;
const UPSTREAM_MS = 20;
const MIB = 2 ** 20;

/** So many of the connected authorizations, in the order of their ids. */
interface DueRows {
  readonly from: number;
  readonly count: number;
}

await prove('sweep', async (proof) => {
  const stage = await Stage.open(proof, { notion: { modes: { rotation: 'reuse_kills_family' } } });
  const due = proof.pick({ short: 600, long: 10_000 });
  // Refreshed more than three times in ten minutes, an authorization is told about as a storm, which no sweep causes.
  const connected = Math.max(due, proof.pick({ short: 1_200, long: 10_000 }));
  proof.say(`connecting ${connected} grants`);
  await stage.connect(connected);
  await sweepTogether(proof, stage, { due, connected });
  await sweepFast(proof, stage, connected);
  await sweepAmongMany(proof, stage);
});

/** Replicas whose timers fire at the same moment. */
async function sweepTogether(
  proof: Proof,
  stage: Stage,
  { due, connected }: { readonly due: number; readonly connected: number },
): Promise<void> {
  const ratePerSecond = proof.pick({ short: 100, long: 100 });
  const count = proof.pick({ short: 4, long: 8 });
  const replicas = await stage.startReplicas(count, {}, stage.replicaOptions({}, { direct: true }));
  await makeDue(stage, { from: 0, count: due });
  const mark = await stage.notion.ledger.mark();
  proof.say(`${count} replicas sweep ${due} authorizations at ${ratePerSecond} a second`);
  await Promise.all(replicas.map((replica) => replica.sweep({ ...OVERDUE, ratePerSecond })));
  const requests = await stage.notion.ledger.since(mark).requests({ grantType: 'refresh_token' });
  const perBot = new Map<string | null, number>();
  for (const { botId } of requests) perBot.set(botId, (perBot.get(botId) ?? 0) + 1);
  const once = [...perBot.values()].filter((times) => times === 1).length;
  const name = `${due} due, ${count} replicas`;
  proof.figure({ figure: `${name}: refreshed exactly once`, value: once, bound: { equals: due } });
  proof.figure({ figure: `${name}: refreshes`, value: requests.length, bound: { equals: due } });
  const times = requests.map(({ receivedAt }) => receivedAt.getTime()).sort((a, b) => a - b);
  const busiest = busiestSecond(times);
  proof.figure({ figure: `${name}: most in any second`, value: busiest, bound: { atMost: ratePerSecond } });
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
  proof.figure({
    figure: `${name}: rate (cap ${ratePerSecond})`,
    value: requests.length / seconds,
    unit: '/s',
  });
  const findings = await stage.check();
  proof.figure({ figure: `${name}: authorizations lost`, value: findings.lost, bound: { equals: 0 } });
  proof.figure({
    figure: `${name}: rows that hold the live pair`,
    value: findings.good,
    bound: { equals: connected },
  });
  await Promise.all(replicas.map((replica) => replica.stop()));
}

/** One replica without a cap, in turn with the least that refreshing can cost, so that the machine's load meets both. */
async function sweepFast(proof: Proof, stage: Stage, connected: number): Promise<void> {
  const count = proof.pick({ short: 600, long: 2_000 });
  const rounds = proof.pick({ short: 3, long: 7 });
  const options = stage.replicaOptions({ maxConcurrent: AT_ONCE }, { direct: true });
  const replica = await stage.startReplica({}, options);
  const bare = await BareRefreshes.open(urlOf(stage), stage.notion, count);
  await stage.notion.configure({ delayMs: { token: UPSTREAM_MS } });
  const rates: { readonly ours: number; readonly bare: number }[] = [];
  // The first round warms both up.
  for (let round = 0; round <= rounds; round++) {
    const bareRate = await bare.measure(AT_ONCE);
    const ours = await measureSweep(stage, replica, { from: (round * count) % connected, count });
    if (round > 0) rates.push({ ours, bare: bareRate });
    proof.say(`round ${round}: ${ours.toFixed(0)} /s, bare ${bareRate.toFixed(0)} /s`);
  }
  await bare.close();
  await stage.notion.configure({ delayMs: { token: 0 } });
  const name = `no cap, ${UPSTREAM_MS} ms upstream, ${AT_ONCE} at a time`;
  proof.figure({ figure: `${name}: rate`, value: median(rates.map(({ ours }) => ours)), unit: '/s' });
  proof.figure({ figure: `${name}: bare undici`, value: median(rates.map((rate) => rate.bare)), unit: '/s' });
  const ratio = median(rates.map((rate) => rate.ours / rate.bare));
  proof.figure({
    figure: `${name}: rate / bare`,
    value: ratio,
    unit: '×',
    bound: { atLeast: 0.6 },
    isSpeed: true,
  });
  await replica.stop();
}

async function measureSweep(stage: Stage, replica: Replica, which: DueRows): Promise<number> {
  const { count } = which;
  await makeDue(stage, which);
  const mark = await stage.notion.ledger.mark();
  const startedMs = performance.now();
  await replica.sweep(OVERDUE);
  const tookMs = performance.now() - startedMs;
  const rotations = await stage.notion.ledger.since(mark).rotations();
  if (rotations !== count) throw new Error(`${rotations} of ${count} were refreshed.`);
  return (count * 1_000) / tookMs;
}

/** Few due among very many: neither the query nor the memory grows with what is stored. */
async function sweepAmongMany(proof: Proof, stage: Stage): Promise<void> {
  const stored = proof.pick({ short: 30_000, long: 1_000_000 });
  const due = proof.pick({ short: 200, long: 1_000 });
  proof.say(`storing ${stored} authorizations`);
  await stage.readRows((rows) => rows.query(fillers(stage.notion.clientId, stored)));
  await stage.readRows((rows) => rows.query('ANALYZE notion_authorization'));
  const replica = await stage.startReplica({}, stage.replicaOptions({}, { direct: true }));
  // A first sweep finds nothing and loads what any sweep needs.
  await replica.sweep(OVERDUE);
  await makeDue(stage, { from: 0, count: due });
  const query = { olderThanMs: DAY_MS, limit: due };
  const plan = await explainClaim(urlOf(stage), stage.notion.clientId, query);
  for (const line of plan.lines) proof.say(line);
  const { rssBytes } = await replica.stats();
  const mark = await stage.notion.ledger.mark();
  const peakBytes = await peakDuring(replica, replica.sweep(OVERDUE));
  const name = `${due} due of ${stored}`;
  const rotations = await stage.notion.ledger.since(mark).rotations();
  proof.figure({ figure: `${name}: refreshed`, value: rotations, bound: { equals: due } });
  proof.figure({
    figure: `${name}: rows found by the claim query`,
    value: plan.rowsReturned,
    bound: { equals: due },
  });
  proof.figure({ figure: `${name}: rows it touched`, value: plan.rowsTouched, bound: { atMost: 2 * due } });
  proof.figure({ figure: `${name}: pages it touched`, value: plan.pages });
  const growth = Math.max(0, peakBytes - rssBytes) / MIB;
  proof.figure({ figure: `${name}: growth of memory`, value: growth, unit: 'MiB', bound: { below: 50 } });
  await stage.readRows((rows) => rows.query(`DELETE FROM notion_authorization WHERE bot_id LIKE 'filler-%'`));
  const findings = await stage.check();
  proof.figure({ figure: 'authorizations lost at the end', value: findings.lost, bound: { equals: 0 } });
  proof.figure({
    figure: 'attempts unaccounted for at the end',
    value: findings.unaccounted,
    bound: { equals: 0 },
  });
}

async function peakDuring(replica: Replica, work: Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  const over = work.then(() => true);
  do samples.push((await replica.stats()).rssBytes);
  while (!(await Promise.race([over, sleep(100, false)])));
  samples.push((await replica.stats()).rssBytes);
  return Math.max(...samples);
}

/** As if their pairs had been stored two days ago. */
async function makeDue(stage: Stage, { from, count }: DueRows): Promise<void> {
  await stage.readRows((rows) =>
    rows.query(
      `UPDATE notion_authorization SET pair_stored_at = pair_stored_at - ${2 * DAY_MS}
       WHERE id IN (SELECT id FROM notion_authorization WHERE bot_id NOT LIKE 'filler-%'
                    ORDER BY id LIMIT ${count} OFFSET ${from})`,
    ),
  );
}

/** The most of these instants (in milliseconds, ascending) that any second holds, wherever it begins. */
function busiestSecond(times: readonly number[]): number {
  let from = 0;
  return times.reduce((most, time, at) => {
    while (time - (times[from] ?? time) >= 1_000) from += 1;
    return Math.max(most, at - from + 1);
  }, 0);
}

function urlOf(stage: Stage): string {
  const { databaseUrl } = stage.directOptions;
  if (typeof databaseUrl !== 'string') throw new Error('The sweep is measured on PostgreSQL.');
  return databaseUrl;
}

/** Rows as the library would have written them just now; nobody ever opens their tokens. */
function fillers(clientId: string, count: number): string {
  return `
    INSERT INTO notion_authorization (
      id, client_id, bot_id, workspace_id, owner_kind, redirect_uri, status, status_since, version,
      sealed_access_token, sealed_refresh_token, key_id, refresh_token_kept, pair_stored_at, unresolved_replayed,
      created_at, updated_at)
    SELECT gen_random_uuid()::varchar, '${clientId}', 'filler-' || n, 'workspace', 'person', 'https://app.example',
      'active', now_ms, 1, repeat('a', 160), repeat('r', 160), 'proof', false, now_ms - (n % ${DAY_MS / 2}), false,
      now_ms, now_ms
    FROM generate_series(1, ${count}) AS n, (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms) AS clock`;
}
