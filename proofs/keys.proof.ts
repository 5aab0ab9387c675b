import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyRingCipher, Secret, type EncryptionKeyOption, type NotionAuthOptions } from 'nestjs-notion-auth';
import { prove, type Proof } from './harness/proof.js';
import type { Replica } from './harness/replica.js';
import { Stage, type Grant } from './harness/stage.js';
import { sum } from './harness/statistics.js';
import type { StoredRows } from './harness/stored.rows.js';

const NEXT: EncryptionKeyOption = { id: 'next', key: randomBytes(32).toString('base64') };
const BATCH = 100;
const INSERTED_AT_ONCE = 500;
const MIB = 2 ** 20;
const TABLE = 'notion_authorization';
const COLUMNS = ['sealed_access_token', 'sealed_refresh_token'] as const;
/** Of the rows that no grant of the simulator stands behind. */
const FILLERS = `bot_id LIKE 'filler-%'`;

await prove('keys', async (proof) => {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' } },
    nextKey: NEXT,
    history: true,
  });
  const grants = await stage.connect(proof.pick({ short: 40, long: 300 }));
  const stored = proof.pick({ short: 3_000, long: 100_000 });
  await storeFillers(proof, stage, stored);
  const rotated = { ...stage.replicaOptions(), encryptionKeys: [NEXT, ownKey(stage)] };
  const [caller, refresher] = (await stage.startReplicas(2, {}, rotated)) as [Replica, Replica];
  const before = await fingerprintOf(stage);
  await startLoad(proof, grants, caller, refresher);
  await rotateWithKills(proof, stage, rotated, stored);
  await tellLoad(proof, caller, refresher);
  await judge(proof, stage, stored, before);
});

function ownKey(stage: Stage): EncryptionKeyOption {
  const ring = stage.directOptions.encryptionKeys;
  const [own] = Array.isArray(ring) ? (ring as EncryptionKeyOption[]) : [];
  if (own === undefined) throw new Error('The stage has no key.');
  return own;
}

async function startLoad(
  proof: Proof,
  grants: readonly Grant[],
  caller: Replica,
  refresher: Replica,
): Promise<void> {
  const authorizationIds = grants.map(({ id }) => id);
  const plan = { authorizationIds, parallel: 4, pauseMs: 20, seed: proof.seed };
  await caller.startLoad({ ...plan, kind: 'call' });
  await refresher.startLoad({ ...plan, kind: 'refresh' });
}

/** A process of its own rotates, and is killed; the last one may finish. */
async function rotateWithKills(
  proof: Proof,
  stage: Stage,
  options: NotionAuthOptions,
  stored: number,
): Promise<void> {
  const kills = proof.pick({ short: 2, long: 5 });
  let killed = 0;
  while (killed < kills) {
    const job = await stage.startReplica({}, options);
    const goal = await leftUnder(stage, 'proof').then((left) => left - (left * 0.5) / (kills - killed));
    const outcome = job.rotateKeys(BATCH).then(
      () => 'finished',
      () => 'killed',
    );
    while ((await leftUnder(stage, 'proof')) > goal) await sleep(20);
    await job.kill();
    if ((await outcome) === 'killed') killed += 1;
    proof.say(`killed ${killed} of ${kills}, ${await leftUnder(stage, 'proof')} rows left`);
  }
  const job = await stage.startReplica({}, options);
  const { rssBytes } = await job.stats();
  const leftAtStart = await leftUnder(stage, 'proof');
  const startedMs = performance.now();
  const finished = job.rotateKeys(BATCH);
  const peakBytes = await peakDuring(job, finished);
  const report = await finished;
  proof.figure({ figure: 'jobs killed', value: killed, bound: { equals: kills } });
  proof.figure({ figure: 'rows that no key opens', value: report.unreadable, bound: { equals: 0 } });
  proof.figure({
    figure: 'rows sealed anew in a second',
    value: (leftAtStart * 1_000) / (performance.now() - startedMs),
    unit: '/s',
  });
  const growth = Math.max(0, peakBytes - rssBytes) / MIB;
  proof.figure({
    figure: `growth of memory while ${leftAtStart} of ${stored} were sealed anew`,
    value: growth,
    unit: 'MiB',
    bound: { below: 50 },
  });
  await job.stop();
}

async function peakDuring(replica: Replica, work: Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  const over = work.then(() => true);
  do samples.push((await replica.stats()).rssBytes);
  while (!(await Promise.race([over, sleep(100, false)])));
  return Math.max(...samples);
}

async function tellLoad(proof: Proof, caller: Replica, refresher: Replica): Promise<void> {
  const calls = await caller.stopLoad();
  const refreshes = await refresher.stopLoad();
  const failedCalls = calls.done - (calls.outcomes['ok'] ?? 0);
  const { renewed = 0, followed = 0 } = refreshes.outcomes;
  proof.figure({ figure: 'calls meanwhile', value: calls.done, bound: { atLeast: 1 } });
  proof.figure({ figure: 'failed calls', value: failedCalls, bound: { equals: 0 } });
  proof.figure({ figure: 'refreshes meanwhile', value: refreshes.done, bound: { atLeast: 1 } });
  const failed = refreshes.done - renewed - followed;
  proof.figure({ figure: 'failed refreshes', value: failed, bound: { equals: 0 } });
}

async function judge(proof: Proof, stage: Stage, stored: number, before: string): Promise<void> {
  const left = await leftUnder(stage, 'proof');
  proof.figure({ figure: 'rows left under the old key', value: left, bound: { equals: 0 } });
  const same = Number((await fingerprintOf(stage)) === before);
  proof.figure({ figure: 'ids and versions as before', value: same, bound: { equals: 1 } });
  const opened = await openedByNextAlone(stage);
  proof.figure({ figure: 'rows that the new key alone opens', value: opened, bound: { equals: stored } });
  await stage.readRows((rows) => rows.query(`DELETE FROM notion_authorization WHERE ${FILLERS}`));
  const { pending } = await stage.settle(30_000);
  const findings = await stage.check();
  proof.figure({ figure: 'attempts unresolved', value: pending, bound: { equals: 0 } });
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: { equals: 0 } });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: { equals: 0 } });
  proof.figure({ figure: 'overlapping refreshes', value: findings.overlaps, bound: { equals: 0 } });
}

async function leftUnder(stage: Stage, keyId: string): Promise<number> {
  const [answer] = await stage.readRows((rows) =>
    rows.query<{ n: string }>(`SELECT count(*) AS n FROM notion_authorization WHERE key_id = '${keyId}'`),
  );
  return Number(answer?.n);
}

/** Of the ids and versions of all rows that nothing but the job touches. */
async function fingerprintOf(stage: Stage): Promise<string> {
  const [answer] = await stage.readRows((rows) =>
    rows.query<{ all: string }>(
      `SELECT md5(string_agg(id || ':' || version, ',' ORDER BY id)) AS all FROM notion_authorization WHERE ${FILLERS}`,
    ),
  );
  return answer?.all ?? '';
}

/** Rows as the library writes them, sealed with the stage's own key. */
async function storeFillers(proof: Proof, stage: Stage, count: number): Promise<void> {
  const cipher = cipherOf(ownKey(stage));
  const { clientId } = stage.notion;
  await stage.readRows(async (rows) => {
    for (let from = 0; from < count; from += INSERTED_AT_ONCE) {
      const batch = Array.from({ length: Math.min(INSERTED_AT_ONCE, count - from) }, () => randomUUID());
      await insert(
        rows,
        clientId,
        batch.map((id, at) => filler(cipher, clientId, id, 1 + ((from + at) % 7))),
      );
      proof.progress(`storing ${from} of ${count} authorizations`);
    }
  });
}

function filler(cipher: KeyRingCipher, clientId: string, id: string, version: number): string {
  const [access, refresh] = COLUMNS.map((column) =>
    cipher.seal(new Secret(`${column} of ${id}`), { table: TABLE, column, rowId: id, clientId, version }),
  ) as [string, string];
  return `('${id}', ${version}, '${access}', '${refresh}')`;
}

function insert(rows: StoredRows, clientId: string, values: readonly string[]): Promise<unknown> {
  return rows.query(`
    INSERT INTO notion_authorization (
      id, client_id, bot_id, workspace_id, owner_kind, redirect_uri, status, status_since, version,
      sealed_access_token, sealed_refresh_token, key_id, refresh_token_kept, pair_stored_at, unresolved_replayed,
      created_at, updated_at)
    SELECT id, '${clientId}', 'filler-' || id, 'workspace', 'person', 'https://app.example', 'active', 0, version,
      access, refresh, 'proof', false, 0, false, 0, 0
    FROM (VALUES ${values.join(', ')}) AS given (id, version, access, refresh)`);
}

async function openedByNextAlone(stage: Stage): Promise<number> {
  const cipher = cipherOf(NEXT);
  const { clientId } = stage.notion;
  const rows = await stage.readRows((all) =>
    all.query<{ id: string; version: number } & Record<(typeof COLUMNS)[number], string>>(
      `SELECT id, version, ${COLUMNS.join(', ')} FROM notion_authorization WHERE ${FILLERS}`,
    ),
  );
  const opens = ({ id: rowId, version, ...sealed }: (typeof rows)[number]) =>
    COLUMNS.every((column) => {
      const context = { table: TABLE, column, rowId, clientId, version };
      return cipher.open(sealed[column], context).reveal() === `${column} of ${rowId}`;
    });
  return sum(rows.map((row) => Number(opens(row))));
}

function cipherOf({ id, key }: EncryptionKeyOption): KeyRingCipher {
  return new KeyRingCipher({
    encryptionKeys: [{ id, key: typeof key === 'string' ? new Secret(key) : key }],
  });
}
