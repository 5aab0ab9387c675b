import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { countByKey } from './key-counts.js';
import { NotionDatabase } from './notion-database.js';
import { createOwnDataSource, ownDataSourceOptions } from './own-data-source.js';
import { isMissing } from './schema-check.js';

/** What can be said of a database without changing anything in it. */
export interface DatabaseInspection {
  readonly engine: string;
  readonly hasPendingMigrations: boolean;
  /** What was tried and worked. */
  readonly locking:
    | 'SELECT … FOR UPDATE SKIP LOCKED'
    | 'SELECT … FOR UPDATE'
    | 'the write transaction'
    | 'refused'
    | 'not_tried';
  /** The database's clock less this machine's, in milliseconds; half of a round trip is taken off. */
  readonly clockOffsetMs: number;
  /** Rows that each encryption key seals. */
  readonly rowsByKey: ReadonlyMap<string, number>;
}

/** Opens a connection of its own, looks, and closes it. Rejects with the driver's error when it cannot be opened. */
export async function inspectDatabase(config: NotionAuthConfig): Promise<DatabaseInspection> {
  const dataSource = await createOwnDataSource(ownDataSourceOptions(config));
  await dataSource.initialize();
  try {
    const database = new NotionDatabase(dataSource);
    return {
      engine: `${dataSource.options.type} ${dataSource.driver.version ?? ''}`.trim(),
      hasPendingMigrations: await dataSource.showMigrations(),
      locking: await tryLock(database),
      clockOffsetMs: await clockOffset(database),
      rowsByKey: await countByKey(database, config.clientId).catch(() => new Map<string, number>()),
    };
  } finally {
    await dataSource.destroy();
  }
}

async function tryLock(database: NotionDatabase): Promise<DatabaseInspection['locking']> {
  const { dialect } = database;
  const skips = dialect.skipsLocked ? ' SKIP LOCKED' : '';
  const tail = dialect.locksRows ? ` FOR UPDATE${skips}` : '';
  try {
    await database.transaction(({ manager }) =>
      manager.query(`SELECT id FROM notion_authorization LIMIT 1${tail}`),
    );
  } catch (error) {
    return isMissing(error) ? 'not_tried' : 'refused';
  }
  if (!dialect.locksRows) return 'the write transaction';
  return dialect.skipsLocked ? 'SELECT … FOR UPDATE SKIP LOCKED' : 'SELECT … FOR UPDATE';
}

async function clockOffset(database: NotionDatabase): Promise<number> {
  const { now } = database.dialect;
  const sentMs = Date.now();
  const [row] = await database.read(({ manager }) =>
    manager.query<[{ now: string | number }]>(`SELECT ${now} AS now`),
  );
  const tookMs = Date.now() - sentMs;
  return Math.round(Number(row.now) - sentMs - tookMs / 2);
}
