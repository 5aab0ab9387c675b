import { NotionStorageUnsupportedError } from '../domain/errors.js';

export type DatabaseFamily = 'sqlite' | 'postgres' | 'mysql';

/** What the stores must know of an engine. Everything else they say in TypeORM's query builder. */
export interface Dialect {
  readonly family: DatabaseFamily;
  /** SQL expression: the database's own clock, in epoch milliseconds, whatever the session's time zone. */
  readonly now: string;
  /**
   * SQL expression: the same clock when the statement began. It does not move during the statement, so the database
   * can begin a range of an index there, and plans with it; where a statement waits for a lock, it is behind.
   */
  readonly statementNow: string;
  /** Whether `SELECT … FOR UPDATE` exists. Without it the write transaction itself is the lock. */
  readonly locksRows: boolean;
  /** Whether `SKIP LOCKED` exists too. Without it, those who claim due rows at the same time wait for each other. */
  readonly skipsLocked: boolean;
  /**
   * First statement of a transaction that is to be `READ COMMITTED` and its commit durable, whatever the session's
   * defaults, in one round trip; `null` where commits are durable anyway.
   */
  readonly durably: string | null;
  /**
   * Statement after which, until its end, no other transaction gets past it with the same text as its parameter;
   * `null` where there is none. It is there for limits on how many rows may be inserted: no row lock holds those.
   */
  readonly waitForTurn: string | null;
}

/**
 * `julianday` keeps milliseconds and, unlike `unixepoch('subsec')`, answers on SQLite before 3.42 too.
 * @see https://sqlite.org/lang_datefunc.html
 */
const SQLITE_NOW = `CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)`;
const SQLITE: Dialect = {
  family: 'sqlite',
  now: SQLITE_NOW,
  statementNow: SQLITE_NOW,
  locksRows: false,
  skipsLocked: false,
  durably: null,
  waitForTurn: null,
};

const POSTGRES: Dialect = {
  family: 'postgres',
  now: `CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS bigint)`,
  statementNow: `CAST(FLOOR(EXTRACT(EPOCH FROM statement_timestamp()) * 1000) AS bigint)`,
  locksRows: true,
  skipsLocked: true,
  durably: 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on',
  waitForTurn: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
};

/** `UNIX_TIMESTAMP()` would pass through the session's time zone and its hour that comes twice a year. */
const MYSQL_NOW = `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)`;
const MYSQL: Dialect = {
  family: 'mysql',
  now: MYSQL_NOW,
  statementNow: MYSQL_NOW,
  locksRows: true,
  skipsLocked: true,
  durably: null,
  waitForTurn: null,
};

/** MySQL since 8.0.1, MariaDB since 10.6. @param version - as the server says it: `8.4.3`, `10.11.18-MariaDB` */
export function skipsLocked(dialect: Dialect, version = ''): boolean {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (dialect.family !== 'mysql') return dialect.skipsLocked;
  return version.includes('MariaDB') ? Number(major) * 100 + Number(minor) >= 1006 : Number(major) >= 8;
}

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['sqlite', SQLITE],
  ['better-sqlite3', SQLITE],
  ['postgres', POSTGRES],
  ['mysql', MYSQL],
  ['mariadb', MYSQL],
]);

/**
 * @param type - `DataSource.options.type`
 * @throws {@link NotionStorageUnsupportedError} for an engine this library was never proved on.
 */
export function dialectOf(type: string): Dialect {
  const dialect = DIALECTS.get(type);
  if (dialect === undefined) {
    throw new NotionStorageUnsupportedError(
      `Notion authorizations cannot be kept in a "${type}" database; use PostgreSQL, MySQL, MariaDB or the embedded SQLite.`,
    );
  }
  return dialect;
}
