import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { ConnectSite } from './harness/connect.site.js';
import { ConnectVisitor, type Answer } from './harness/connect.visitor.js';
import { prove, type Proof } from './harness/proof.js';
import { Stage } from './harness/stage.js';

const PROCESSES = 3;
const REPLAYS = 50;
const ROUNDS = {
  postgres: { short: 36, long: 900 },
  sqlite: { short: 4, long: 100 },
} as const;
/** Connects that one owner begins and never ends. */
const STARTS = { short: 400, long: 100_000 };
/** Callbacks with states that nobody was given. */
const GUESSES = { short: 600, long: 20_000 };
const AT_ONCE = 60;
/** Pending connects of one owner: the default of `connect.maxPendingPerOwner`. */
const MOST_PENDING = 20;

await prove('state', async (proof) => {
  for (const engine of ['postgres', 'sqlite'] as const) {
    if (!proof.wants(engine)) continue;
    const stage = await Stage.open(proof, { engine, postgres: { fsync: false } });
    const site = await ConnectSite.open(proof, stage, PROCESSES);
    await replay(proof, stage, site, engine);
    if (engine === 'postgres') {
      await startWithoutEnd(proof, site);
      await guess(proof, stage, site);
    }
    const { states } = site;
    const name = `${engine}: states given out`;
    proof.figure({
      figure: `${name}, distinct`,
      value: new Set(states).size,
      bound: { equals: states.length },
    });
    await site.close();
    await stage.close();
  }
});

/** The same callback many times at once, to all processes: one ends in an exchange, and all are led back alike. */
async function replay(
  proof: Proof,
  stage: Stage,
  site: ConnectSite,
  engine: keyof typeof ROUNDS,
): Promise<void> {
  const rounds = proof.pick(ROUNDS[engine]);
  const mark = await stage.notion.ledger.mark();
  const answers: Answer[] = [];
  for (let round = 0; round < rounds; round++) {
    const visitor = new ConnectVisitor(site.agent, `owner-${round}`);
    const callback = new URL(await stage.notion.allow(await site.start(visitor, round)));
    const replays = Array.from({ length: REPLAYS }, (_, visit) =>
      visitor.get(`${site.originOf(visit)}${callback.pathname}${callback.search}`),
    );
    answers.push(...(await Promise.all(replays)));
    proof.progress(`${engine}: round ${round + 1} of ${rounds}`);
  }
  const since = stage.notion.ledger.since(mark);
  const ledBack = answers.filter(
    ({ status, location, body }) => status === 303 && location === '/' && body === '',
  );
  const name = `${engine}, ${rounds} rounds × ${REPLAYS} replays over ${PROCESSES} processes`;
  const tell = (figure: string, value: number, equals: number) => {
    proof.figure({ figure: `${name}: ${figure}`, value, bound: { equals } });
  };
  tell('token requests', await since.tokenRequests(), rounds);
  tell('exchanges', (await since.requests({ grantType: 'authorization_code', status: 200 })).length, rounds);
  tell('led back', ledBack.length, rounds * REPLAYS);
}

/** An owner who begins, begins, begins. */
async function startWithoutEnd(proof: Proof, site: ConnectSite): Promise<void> {
  const starts = proof.pick(STARTS);
  const slots = pLimit(AT_ONCE);
  let most = 0;
  let looks = 0;
  const look = async () => {
    most = Math.max(
      most,
      await count(site, `SELECT count(*) FROM notion_oauth_state WHERE owner_id = 'eager'`),
    );
    looks += 1;
  };
  const startedMs = performance.now();
  const begun = Array.from({ length: starts }, (_, visit) =>
    slots(async () => {
      await site.start(new ConnectVisitor(site.agent, 'eager'), visit);
      if (visit % 25 === 0) await look();
      proof.progress(`one owner: ${visit} starts of ${starts}`);
    }),
  );
  await Promise.all(begun);
  const perSecond = (starts / (performance.now() - startedMs)) * 1_000;
  await look();
  const name = `${starts} starts of one owner, ${AT_ONCE} at once`;
  proof.figure({
    figure: `${name}: most rows in ${looks} looks`,
    value: most,
    bound: { atMost: MOST_PENDING },
  });
  proof.figure({ figure: `${name}: per second`, value: perSecond, unit: '/s' });
}

/** Callbacks of somebody who guesses, counted by the database itself, in a table that is not small. */
async function guess(proof: Proof, stage: Stage, site: ConnectSite): Promise<void> {
  const guesses = proof.pick(GUESSES);
  await fillTable(site);
  // The database has heard all of what a session did when the session is over.
  await site.leave();
  const before = await tableStatistics(site);
  await site.boot();
  const mark = await stage.notion.ledger.mark();
  const slots = pLimit(AT_ONCE);
  const startedMs = performance.now();
  const visits = Array.from({ length: guesses }, (_, visit) =>
    slots(() => {
      const visitor = new ConnectVisitor(site.agent, 'guesser', `__Host-notion-auth=${secret()}`);
      return visitor.get(`${site.originOf(visit)}/notion/callback?code=c0de&state=${secret()}`);
    }),
  );
  const answers = await Promise.all(visits);
  const perSecond = (guesses / (performance.now() - startedMs)) * 1_000;
  await site.leave();
  const after = await tableStatistics(site);
  const name = `${guesses} callbacks with unknown states`;
  const refused = answers.filter(({ status }) => status === 400).length;
  proof.figure({ figure: `${name}: refused`, value: refused, bound: { equals: guesses } });
  const lookups = after.index_scans - before.index_scans;
  proof.figure({ figure: `${name}: indexed lookups`, value: lookups, bound: { equals: guesses } });
  const whole = after.table_scans - before.table_scans;
  proof.figure({ figure: `${name}: reads of the whole table`, value: whole, bound: { equals: 0 } });
  const written = after.rows_written - before.rows_written;
  proof.figure({ figure: `${name}: rows written`, value: written, bound: { equals: 0 } });
  const sent = await stage.notion.ledger.since(mark).tokenRequests();
  proof.figure({ figure: `${name}: token requests`, value: sent, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: per second`, value: perSecond, unit: '/s' });
}

interface TableStatistics {
  readonly index_scans: number;
  readonly table_scans: number;
  readonly rows_written: number;
}

async function tableStatistics({ tables }: ConnectSite): Promise<TableStatistics> {
  const [row] = await tables!.query<[Record<keyof TableStatistics, string>]>(
    `SELECT idx_scan AS index_scans, seq_scan AS table_scans, n_tup_ins + n_tup_upd + n_tup_del AS rows_written
     FROM pg_stat_user_tables WHERE relname = 'notion_oauth_state'`,
  );
  return {
    index_scans: Number(row.index_scans),
    table_scans: Number(row.table_scans),
    rows_written: Number(row.rows_written),
  };
}

/** As many connects of others as a busy site has open, for the planner to reckon with. */
async function fillTable({ tables }: ConnectSite): Promise<void> {
  await tables!.query(
    `INSERT INTO notion_oauth_state
       (state_hash, browser_hash, owner_id, client_id, redirect_uri, return_to, created_at, expires_at)
     SELECT md5(n::text) || md5((-n)::text), 'b', 'filler-' || n, 'c', 'r', '/', 0, 9e15::bigint
     FROM generate_series(1, 20000) AS n`,
  );
  await tables!.query('ANALYZE notion_oauth_state');
  // The statistics of this session are told when it is asked for them.
  await tables!.query('SELECT pg_stat_force_next_flush()');
}

async function count({ tables }: ConnectSite, statement: string): Promise<number> {
  const [row] = await tables!.query<[{ count: string }]>(statement);
  return Number(row.count);
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
