import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Logger } from 'typeorm';
import { Secret } from '../../src/domain/secret.js';
import { TokenCipher } from '../../src/domain/token-cipher.js';
import { TypeOrmAuthorizationStore } from '../../src/storage/typeorm-authorization.store.js';
import { TypeOrmAttemptStatistics } from '../../src/storage/typeorm-attempt.statistics.js';
import { TypeOrmFleetReadings } from '../../src/storage/typeorm-fleet.readings.js';
import { TypeOrmEventOutbox } from '../../src/storage/typeorm-event.outbox.js';
import { CLIENT_ID, connectSome, postgres, somePair, type TestStorage } from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

const STORED = Number(process.env['NOTION_AUTH_TEST_STORED'] ?? 100_000);
const DUE = 1_000;
const HOUR_MS = 3_600_000;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

/** The copied rows cannot be opened by a cipher that binds envelopes to rows, and need not be. */
class NoCipher extends TokenCipher {
  override readonly sealingKeyId = 'none';
  override readonly keyIds = ['none'];
  override seal(): string {
    return 'sealed';
  }
  override open(): Secret {
    return new Secret('opened');
  }
  override fingerprint(): string {
    return 'fingerprint';
  }
  override recognises(): boolean {
    return false;
  }
}

/** Keeps the statements with their parameters, to be explained. */
class StatementLog implements Logger {
  readonly sent: { query: string; parameters: unknown[] }[] = [];

  logQuery(query: string, parameters: unknown[] = []): void {
    this.sent.push({ query, parameters });
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

describe(`with ${STORED.toLocaleString('en')} authorizations stored and 1,000 of them due`, () => {
  const storage = useStorage(postgres);
  const logger = new StatementLog();

  beforeAll(async () => {
    await fill(storage(), STORED);
    await run(storage(), 'VACUUM ANALYZE notion_authorization');
  }, 300_000);

  const storeWithLog = () => storeLoggingTo(storage(), logger);
  const explained = (find: (query: string) => boolean) => explain(storage(), logger, find);

  function expectCheap(plan: PlanNode, limit: number): void {
    const all = nodes(plan);
    expect(all.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(Math.max(...all.map((node) => node['Rows Removed by Filter'] ?? 0))).toBeLessThanOrEqual(limit);
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(20 * limit);
  }

  it('J12: claims a batch through the index of due rows, in its order, and touches little else', async () => {
    const store = await storeWithLog();
    const claims = await store.claimDue({ olderThanMs: HOUR_MS, limit: 50, leaseMs: 60_000 });
    expect(claims).toHaveLength(50);
    const plan = await explained((query) => query.endsWith('SKIP LOCKED'));
    const all = nodes(plan);
    expect(all.map((node) => node['Index Name'])).toContain('notion_authorization_due_ix');
    expect(all.map((node) => node['Node Type'])).not.toContain('Sort');
    // The fifty that were claimed above stand at the head of the index until they are stored.
    expectCheap(plan, 50);
  });

  it('J12: costs no more when nothing is due', async () => {
    const store = await storeWithLog();
    for (;;) {
      const claims = await store.claimDue({ olderThanMs: HOUR_MS, limit: 500, leaseMs: 60_000 });
      if (claims.length === 0) break;
    }
    const plan = await explained((query) => query.endsWith('SKIP LOCKED'));
    expect(plan['Actual Rows']).toBe(0);
    expectCheap(plan, DUE);
  });

  it('finds what is unresolved without looking at the others', async () => {
    const store = await storeWithLog();
    await store.listUnresolved(50);
    for (const part of ['unresolved_since IS NOT NULL', 'INNER JOIN']) {
      expectCheap(await explained((query) => query.includes(part)), DUE);
    }
  });
});

describe('a table that the planner has no statistics of', () => {
  const storage = useStorage(postgres);
  const logger = new StatementLog();

  it.each([
    ['locks the rows to be stored', (query: string) => query.includes('closed_gates')],
    ['claims many', (query: string) => query.startsWith('UPDATE notion_authorization SET attempt_owner')],
    ['stores many', (query: string) => /sealed_access_token = \(?CAST\(/.test(query)],
    ['looks at many versions', (query: string) => query.startsWith('SELECT a.id AS a_id, a.version')],
  ])('is not read whole by the statement that %s', async (_, find) => {
    await run(storage(), 'ALTER TABLE notion_authorization SET (autovacuum_enabled = off)');
    await fill(storage(), 2_000);
    const store = await storeLoggingTo(storage(), logger);
    const claims = await store.claimDue({ olderThanMs: -HOUR_MS, limit: 50, leaseMs: 60_000 });
    await Promise.all(claims.map((claim) => store.storePair(claim, somePair(), { outcome: 'success' })));
    await store.readVersions(claims.map(({ authorizationId }) => authorizationId));
    const all = nodes(await explain(storage(), logger, find));
    expect(all.map((node) => node['Index Name'])).toContain('notion_authorization_pk');
    const readInVain = all.map((node) => node['Rows Removed by Filter'] ?? 0);
    expect(Math.max(...readInVain)).toBeLessThanOrEqual(claims.length);
  });
});

describe('100,000 events that wait for a listener', () => {
  const storage = useStorage(postgres);
  const logger = new StatementLog();
  const WAITING = 100_000;
  const LIMIT = 10;

  beforeAll(async () => {
    const { id } = await connectSome(storage().store);
    await run(
      storage(),
      `INSERT INTO notion_event (id, client_id, name, authorization_id, deliveries, next_delivery_at, created_at)
       SELECT n, client_id, CASE WHEN n % 2 = 0 THEN 'connected' ELSE 'disconnected' END, authorization_id, 0,
              next_delivery_at - n, created_at
       FROM notion_event, generate_series(1, ${String(WAITING)}) n WHERE authorization_id = '${id}'`,
    );
    await run(storage(), 'VACUUM ANALYZE notion_event');
  }, 120_000);

  it.each([
    ['cost a process nothing that listens to other names', 'recovered', 0],
    ['are read as far as a process that listens to them can deliver', 'connected', LIMIT],
  ] as const)('%s', async (_, name, found) => {
    logger.sent.length = 0;
    const { database } = await storage().join({ logging: true, logger });
    const query = { limits: new Map([[name, LIMIT]]), leaseMs: 1, keepMs: 24 * HOUR_MS };
    const claimed = await new TypeOrmEventOutbox(database, { clientId: CLIENT_ID }).claimDue(query);
    expect(claimed).toHaveLength(found);
    const plan = nodes(await explain(storage(), logger, (sent) => sent.includes('INNER JOIN (SELECT')));
    expect(plan.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(Math.max(...plan.map((node) => node['Actual Rows']))).toBeLessThanOrEqual(LIMIT);
    expect(Math.max(...plan.map((node) => node['Rows Removed by Filter'] ?? 0))).toBe(0);
  });
});

describe('200,000 attempts that ended long ago, and 200 in the last hour', () => {
  const storage = useStorage(postgres);
  const logger = new StatementLog();
  const OLD = 200_000;
  const RECENT = 200;

  beforeAll(async () => {
    const { id } = await connectSome(storage().store);
    const { columns } = storage().database.dataSource.getMetadata('RefreshAttemptEntity');
    const names = columns.map(({ databaseName }) => databaseName);
    const values = names.map((name) => {
      if (name === 'id') return 'gen_random_uuid()::varchar';
      if (!/_at$/.test(name)) return name;
      return `${name} - CASE WHEN n <= ${String(OLD)} THEN ${String(2 * HOUR_MS)} + n * 100 ELSE n % 1000 END`;
    });
    const [claim] = await storage().store.claimDue({ olderThanMs: -HOUR_MS, limit: 1, leaseMs: 60_000 });
    await storage().store.storePair(claim!, somePair(), { outcome: 'success' });
    await run(
      storage(),
      `INSERT INTO notion_refresh_attempt (${names.join(', ')}) SELECT ${values.join(', ')}
       FROM notion_refresh_attempt, generate_series(1, ${String(OLD + RECENT)}) n WHERE authorization_id = '${id}'`,
    );
    await run(storage(), 'VACUUM ANALYZE notion_refresh_attempt');
  }, 120_000);

  async function planOf(
    work: (database: TestStorage['database']) => Promise<unknown>,
    find: (query: string) => boolean,
  ): Promise<readonly PlanNode[]> {
    logger.sent.length = 0;
    const { database } = await storage().join({ logging: true, logger });
    await work(database);
    return nodes(await explain(storage(), logger, find)).filter(({ 'Index Name': index, ...node }) =>
      (index ?? node['Node Type']).match(/attempt|Seq Scan/),
    );
  }

  it('cost a reading of health what ended in its window', async () => {
    const plan = await planOf(
      (database) =>
        new TypeOrmFleetReadings(database, { clientId: CLIENT_ID }, new NoCipher()).read(HOUR_MS, 60_000),
      (query) => query.includes("'attempts'"),
    );
    expect(plan.map((node) => node['Index Name'])).toEqual(['notion_refresh_attempt_ended_ix']);
    expect(plan[0]!['Rows Removed by Filter'] ?? 0).toBe(0);
    expect(plan[0]!['Actual Rows']).toBeLessThanOrEqual(RECENT + 1);
  });

  it('cost a pruning nothing when none is old enough, and a batch when they are', async () => {
    const prune = (olderThanMs: number) =>
      planOf(
        (database) => new TypeOrmAttemptStatistics(database, { clientId: CLIENT_ID }).prune(olderThanMs),
        (query) => query.includes('started_at <'),
      );
    const [nothing] = await prune(1_000 * HOUR_MS);
    expect([nothing?.['Index Name'], nothing?.['Actual Rows']]).toEqual([
      'notion_refresh_attempt_started_ix',
      0,
    ]);
    const [batch] = await prune(HOUR_MS);
    expect([batch?.['Index Name'], batch?.['Actual Rows']]).toEqual([
      'notion_refresh_attempt_started_ix',
      1_000,
    ]);
  });
});

function nodes(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)];
}

/** Copies of one authorization; a thousand of them due for an hour and more. */
async function fill(storage: TestStorage, count: number): Promise<void> {
  const { id } = await connectSome(storage.store);
  const { columns } = storage.database.dataSource.getMetadata('AuthorizationEntity');
  const names = columns.map(({ databaseName }) => databaseName);
  const values = names.map((name) => {
    if (name === 'id' || name === 'bot_id') return `gen_random_uuid()::varchar`;
    if (name === 'workspace_id') return `'workspace-' || n / 10`;
    if (name !== 'pair_stored_at') return name;
    return `pair_stored_at - CASE WHEN n % ${String(count / DUE)} = 0 THEN ${String(2 * HOUR_MS)} ELSE n % 1000 END`;
  });
  await run(
    storage,
    `INSERT INTO notion_authorization (${names.join(', ')})
     SELECT ${values.join(', ')} FROM notion_authorization, generate_series(1, ${String(count)}) n WHERE id = '${id}'`,
  );
}

async function storeLoggingTo(
  storage: TestStorage,
  logger: StatementLog,
): Promise<TypeOrmAuthorizationStore> {
  logger.sent.length = 0;
  const { database } = await storage.join({ logging: true, logger });
  return new TypeOrmAuthorizationStore(database, { clientId: CLIENT_ID }, new NoCipher());
}

async function explain(
  storage: TestStorage,
  logger: StatementLog,
  find: (query: string) => boolean,
): Promise<PlanNode> {
  const statement = logger.sent.find(({ query }) => find(query.replaceAll('"', '')));
  const [answer] = await storage.database.dataSource.query<[{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }]>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement!.query}`,
    statement!.parameters,
  );
  return answer['QUERY PLAN'][0].Plan;
}
