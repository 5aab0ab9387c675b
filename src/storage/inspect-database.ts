import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { readServerIdentity, type ServerIdentity } from './database-identity.js';
import type { DatabaseFamily } from './dialect.js';
import { countByKey } from './key-counts.js';
import { NotionDatabase } from './notion-database.js';
import { openOwnDataSource, OWN_POOL_SIZE } from './own-data-source.js';
import { isMissing } from './schema-check.js';

/** How many connections there are. */
export interface ConnectionRoom {
  /** Most that one process opens. */
  readonly ofOneProcess: number;
  /** Most that the server allows to a user who is no administrator. */
  readonly most: number;
  readonly inUse: number;
}

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
  /** Of the server; `null` for an embedded file, and where the server does not tell. */
  readonly connections: ConnectionRoom | null;
  /** As failover detection sees the server; `null` for an embedded file. */
  readonly identity: ServerIdentity | { readonly kind: 'not_known_now' } | null;
  /** The database's clock less this machine's, in milliseconds; half of a round trip is taken off. */
  readonly clockOffsetMs: number;
  /** Rows that each encryption key seals. */
  readonly rowsByKey: ReadonlyMap<string, number>;
}

/** Opens a connection of its own, looks, and closes it. Rejects as {@link openOwnDataSource} when it cannot be opened. */
export async function inspectDatabase(config: NotionAuthConfig): Promise<DatabaseInspection> {
  const dataSource = await openOwnDataSource(config);
  try {
    const database = new NotionDatabase(dataSource);
    return {
      engine: `${dataSource.options.type} ${dataSource.driver.version ?? ''}`.trim(),
      hasPendingMigrations: await dataSource.showMigrations(),
      locking: await tryLock(database),
      connections: await connectionRoom(database).catch(() => null),
      identity: await identityOf(database),
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

const ROOM_STATEMENTS: Readonly<Record<DatabaseFamily, string | null>> = {
  sqlite: null,
  postgres: `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used`,
  mysql: `SELECT @@max_connections AS most,
    (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED') AS used`,
};

async function connectionRoom(database: NotionDatabase): Promise<ConnectionRoom | null> {
  const statement = ROOM_STATEMENTS[database.dialect.family];
  if (statement === null) return null;
  const [row] = await database.read(({ manager }) =>
    manager.query<[{ most: string | number; used: string | number }]>(statement),
  );
  return { ofOneProcess: OWN_POOL_SIZE, most: Number(row.most), inUse: Number(row.used) };
}

/** Asks on several connections at the same time: a load balancer may connect each to another server. */
async function identityOf(database: NotionDatabase): Promise<DatabaseInspection['identity']> {
  if (!database.dialect.locksRows) return null;
  const asked = Array.from({ length: OWN_POOL_SIZE - 1 }, () => database.transaction(readServerIdentity));
  const identities = (await Promise.allSettled(asked)).flatMap((look) =>
    look.status === 'fulfilled' ? [look.value] : [],
  );
  const names = new Set(identities.map((identity) => (identity.kind === 'known' ? identity.name : null)));
  if (names.size > 1 && !names.has(null)) return { kind: 'unknowable', obstacle: 'several_servers' };
  return identities.find(({ kind }) => kind !== 'known') ?? identities[0] ?? { kind: 'not_known_now' };
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
