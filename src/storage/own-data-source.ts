import { DataSource, type DataSourceOptions } from 'typeorm';
import type { DatabaseTls, NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionConfigError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { explainConnectFailure, type DatabaseLocation } from './connect-failure.js';
import { dialectOf } from './dialect.js';
import { printedAs } from './printed-as.js';
import { explainUnusableDriver } from './sqlite-driver.js';
import { createPrivateFile } from './sqlite-file.js';
import { NOTION_AUTH_MIGRATIONS_TABLE, notionAuthEntities, notionAuthMigrations } from './storage-schema.js';

/** Name under which `@nestjs/typeorm` keeps the module's own DataSource. */
export const NOTION_AUTH_DATA_SOURCE = 'nestjs-notion-auth';

/** Refreshes hold a connection for milliseconds, so a few serve a process with thousands of authorizations. */
export const OWN_POOL_SIZE = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const BUSY_TIMEOUT_MS = 5_000;
/** better-sqlite3 waits by blocking the whole process; the waiting is done between short tries instead. */
const BLOCKING_BUSY_TIMEOUT_MS = 100;

/**
 * The module's own connection: the database of `databaseUrl`, else the embedded SQLite file.
 * @throws {@link NotionConfigError} for a URL of another kind of database.
 * @throws {@link NotionStorageUnsupportedError} when no SQLite driver can be used, with the reason and the command to run.
 */
export function ownDataSourceOptions({
  databaseUrl,
  databaseTls = null,
  databaseFile,
}: DatabaseLocation): DataSourceOptions {
  return databaseUrl === null ? embedded(databaseFile) : pooled(databaseUrl.reveal(), databaseTls);
}

/** Makes the DataSource, not yet initialized; before that, an embedded file that only its owner can read. */
export async function createOwnDataSource(options: DataSourceOptions): Promise<DataSource> {
  if (!dialectOf(options.type).locksRows && typeof options.database === 'string') {
    await createPrivateFile(options.database);
  }
  const dataSource = new DataSource(options);
  // Each of the two leads to the URL, and through the driver's pool to the password.
  for (const part of [dataSource, dataSource.driver]) {
    printedAs(part, () => ({ type: options.type, isInitialized: dataSource.isInitialized }));
  }
  return dataSource;
}

/**
 * As {@link createOwnDataSource}, and connects.
 * @throws {@link NotionConfigError} for what a retry cannot change: a file, a certificate, a user, a database.
 * @throws {@link NotionStoreUnavailableError} when the server cannot be reached.
 */
export async function openOwnDataSource(
  location: DatabaseLocation,
  options = ownDataSourceOptions(location),
): Promise<DataSource> {
  try {
    return await (await createOwnDataSource(options)).initialize();
  } catch (error) {
    throw explainConnectFailure(error, location);
  }
}

function pooled(url: string, tls: NotionAuthConfig['databaseTls']): DataSourceOptions {
  const type = typeOfUrl(url);
  const timeout =
    type === 'postgres'
      ? { connectTimeoutMS: CONNECT_TIMEOUT_MS, applicationName: 'nestjs-notion-auth' }
      : { connectTimeout: CONNECT_TIMEOUT_MS, charset: 'utf8mb4' };
  const options = { ...common(type), ...timeout, poolSize: OWN_POOL_SIZE };
  const secret = { url, ...(tls === null ? {} : { ssl: tls && driverTls(type, tls) }) };
  return printedAs({ ...options, ...secret }, () => ({
    ...options,
    url: new Secret(url),
  })) as DataSourceOptions;
}

/** What `pg` hands to `tls.connect()`, or what `mysql2` takes. */
function driverTls(type: string, { ca, cert, key, servername, verification }: DatabaseTls): object {
  const given = { ca, cert, key: key?.reveal() ?? null, servername };
  const material = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const rejectUnauthorized = verification !== 'none';
  if (type !== 'postgres')
    return { ...material, rejectUnauthorized, verifyIdentity: verification === 'identity' };
  const anyName = verification === 'authority' ? { checkServerIdentity: () => undefined } : {};
  return { ...material, rejectUnauthorized, ...anyName };
}

function typeOfUrl(url: string): 'postgres' | 'mysql' | 'mariadb' {
  const scheme = /^(\w+):\/\//.exec(url)?.[1];
  if (scheme === 'postgres' || scheme === 'postgresql') return 'postgres';
  if (scheme === 'mysql' || scheme === 'mariadb') return scheme;
  throw new NotionConfigError([
    'databaseUrl (NOTION_AUTH_DATABASE_URL) must begin with postgres://, postgresql://, mysql:// or mariadb://',
  ]);
}

function embedded(databaseFile: string): DataSourceOptions {
  const candidates = [
    { ...common('sqlite'), database: databaseFile, busyTimeout: BUSY_TIMEOUT_MS },
    { ...common('better-sqlite3'), database: databaseFile, timeout: BLOCKING_BUSY_TIMEOUT_MS },
  ] as DataSourceOptions[];
  const usable = candidates.find(isUsable);
  if (usable === undefined) throw explainUnusableDriver();
  return usable;
}

/** TypeORM 1 has no `sqlite3` driver, and a driver's package may be missing: its constructor knows both. */
function isUsable(options: DataSourceOptions): boolean {
  try {
    return new DataSource(options).options.type === options.type;
  } catch {
    return false;
  }
}

function common(type: string) {
  return {
    type,
    entities: [...notionAuthEntities],
    migrations: notionAuthMigrations(type),
    migrationsTableName: NOTION_AUTH_MIGRATIONS_TABLE,
    synchronize: false,
    logging: false,
  };
}
