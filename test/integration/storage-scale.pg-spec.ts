import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Logger } from 'typeorm';
import { Secret } from '../../src/domain/secret.js';
import { TokenCipher } from '../../src/domain/token-cipher.js';
import { TypeOrmAuthorizationStore } from '../../src/storage/typeorm-authorization.store.js';
import { CLIENT_ID, connectSome, postgres } from '../support/storage.harness.js';
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
  override seal(): string {
    return 'sealed';
  }
  override open(): Secret {
    return new Secret('opened');
  }
  override fingerprint(): string {
    return 'fingerprint';
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
    const { id } = await connectSome(storage().store);
    const { columns } = storage().database.dataSource.getMetadata('AuthorizationEntity');
    const names = columns.map(({ databaseName }) => databaseName);
    const values = names.map((name) => {
      if (name === 'id' || name === 'bot_id') return `lpad(to_hex(n), 32, '0')`;
      if (name === 'workspace_id') return `'workspace-' || n / 10`;
      if (name !== 'pair_stored_at') return name;
      return `pair_stored_at - CASE WHEN n % ${String(STORED / DUE)} = 0 THEN ${String(2 * HOUR_MS)} ELSE n % 1000 END`;
    });
    await run(
      storage(),
      `INSERT INTO notion_authorization (${names.join(', ')})
       SELECT ${values.join(', ')} FROM notion_authorization, generate_series(1, ${String(STORED)}) n WHERE id = '${id}'`,
    );
    await run(storage(), 'VACUUM ANALYZE notion_authorization');
  }, 300_000);

  async function storeWithLog(): Promise<TypeOrmAuthorizationStore> {
    logger.sent.length = 0;
    const { database } = await storage().join({ logging: true, logger });
    return new TypeOrmAuthorizationStore(database, { clientId: CLIENT_ID }, new NoCipher());
  }

  async function explained(find: (query: string) => boolean): Promise<PlanNode> {
    const statement = logger.sent.find(({ query }) => find(query.replaceAll('"', '')));
    const [answer] = await storage().database.dataSource.query<
      [{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }]
    >(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement!.query}`, statement!.parameters);
    return answer['QUERY PLAN'][0].Plan;
  }

  const nodes = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

  function expectCheap(plan: PlanNode, limit: number): void {
    const all = nodes(plan);
    expect(all.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(Math.max(...all.map((node) => node['Rows Removed by Filter'] ?? 0))).toBeLessThanOrEqual(limit);
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(20 * limit);
  }

  it('claims a batch through the index of due rows, in its order, and touches little else', async () => {
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

  it('costs no more when nothing is due', async () => {
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
