import { DataSource, type Logger } from 'typeorm';
import { Secret } from '../../src/domain/secret.js';
import { lockDueRows } from '../../src/storage/authorization-rows.js';
import { dialectOf } from '../../src/storage/dialect.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import type { StoreSession } from '../../src/storage/store-session.js';

/** What the database did to find the rows that a sweep claims. */
export interface ClaimPlan {
  readonly rowsReturned: number;
  /** Rows of the table that were looked at, whether returned or not. */
  readonly rowsTouched: number;
  /** Pages of 8 KiB. */
  readonly pages: number;
  /** One line for each node of the plan, outermost first. */
  readonly lines: readonly string[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

/** `EXPLAIN (ANALYZE, BUFFERS)` of the very statement that the library sends; rolled back. */
export async function explainClaim(
  url: string,
  clientId: string,
  due: { readonly olderThanMs: number; readonly limit: number },
): Promise<ClaimPlan> {
  const statements: (readonly [sql: string, given: unknown[]])[] = [];
  const source = new DataSource({
    ...ownDataSourceOptions({ databaseUrl: new Secret(url), databaseFile: '' }),
    logging: ['query'],
    logger: { ...SILENT, logQuery: (sql, given) => statements.push([sql, given ?? []]) },
  });
  await source.initialize();
  try {
    return await source.transaction(async (manager) => {
      const session = { manager, dialect: dialectOf('postgres'), clientId };
      // The statement needs nothing else of a session: tokens stay sealed.
      await lockDueRows(session as StoreSession, due);
      const [sql, given] = statements.find(([sent]) => sent.includes('SKIP LOCKED')) ?? ['', []];
      await manager.query('SAVEPOINT explained');
      const [{ 'QUERY PLAN': plans }] = await manager.query<[{ 'QUERY PLAN': [{ Plan: PlanNode }] }]>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
        given,
      );
      return describe(plans[0].Plan);
    });
  } finally {
    await source.destroy();
  }
}

function describe(root: PlanNode): ClaimPlan {
  const nodes = flatten(root, 0);
  const scans = nodes.filter(({ node }) => node['Relation Name'] !== undefined && node.Plans === undefined);
  return {
    rowsReturned: root['Actual Rows'],
    rowsTouched: scans.reduce((sum, { node }) => sum + touchedBy(node), 0),
    pages: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    lines: nodes.map(
      ({ node, depth }) =>
        `${'  '.repeat(depth)}${node['Node Type']} ${node['Index Name'] ?? ''} rows=${node['Actual Rows']} ` +
        `removed=${node['Rows Removed by Filter'] ?? 0} pages=${node['Shared Hit Blocks'] + node['Shared Read Blocks']}`,
    ),
  };
}

function touchedBy(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return (node['Actual Rows'] + removed) * node['Actual Loops'];
}

function flatten(node: PlanNode, depth: number): { readonly node: PlanNode; readonly depth: number }[] {
  return [{ node, depth }, ...(node.Plans ?? []).flatMap((child) => flatten(child, depth + 1))];
}

const nothing = () => undefined;
const SILENT: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
