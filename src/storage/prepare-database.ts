import type { DataSource } from 'typeorm';
import { NotionStorageUnsupportedError } from '../domain/errors.js';
import { boundDestroy } from './bounded-destroy.js';
import { explainFileFailure } from './connect-failure.js';
import { isTransient, withRepeats } from './database-errors.js';
import { dialectOf } from './dialect.js';
import { NotionDatabase } from './notion-database.js';
import { migrate, migrateBeside } from './run-migrations.js';
import { requireColumnNames, requireSchema } from './schema-check.js';
import { makePrivate } from './sqlite-file.js';
import { notionAuthEntities } from './storage-schema.js';

/** About half a minute. */
const WAL_ATTEMPTS = 120;

export interface PrepareOptions {
  /** Whether the DataSource is the module's own; else it is the application's. */
  readonly owned: boolean;
  /** `null`: only on an embedded SQLite file. */
  readonly runMigrations: boolean | null;
  /** @defaultValue `process.env` */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes an initialized DataSource ready for the stores.
 * @throws {@link NotionStorageUnsupportedError} for an engine, a shared SQLite connection or a schema that cannot
 * keep authorizations safely.
 */
export async function prepareDatabase(
  dataSource: DataSource,
  options: PrepareOptions,
): Promise<NotionDatabase> {
  const isEmbedded = !dialectOf(dataSource.options.type).locksRows;
  if (options.owned) boundDestroy(dataSource);
  else requireUsableHost(dataSource, isEmbedded);
  try {
    if (isEmbedded) await prepareSqlite(dataSource);
    const database = new NotionDatabase(dataSource, isEmbedded ? embeddedWarnings(options.environment) : []);
    if (options.runMigrations ?? isEmbedded) {
      await (options.owned ? migrate(database) : migrateBeside(dataSource));
    }
    await requireSchema(database, options.owned ? MIGRATE_OWN : migrateHost(dataSource.options.type));
    return database;
  } catch (error) {
    throw isEmbedded ? explainFileFailure(error, String(dataSource.options.database)) : error;
  }
}

const RUN_AT_STARTUP = 'set NOTION_AUTH_RUN_MIGRATIONS=true (option runMigrations: true)';
const MIGRATE_OWN = `Run "npx notion-auth migrate", or ${RUN_AT_STARTUP}.`;

function migrateHost(type: string): string {
  return `Add notionAuthMigrations('${type}') to the migrations of the DataSource and run them, or ${RUN_AT_STARTUP}.`;
}

function requireUsableHost(dataSource: DataSource, isEmbedded: boolean): void {
  if (isEmbedded) {
    throw new NotionStorageUnsupportedError(
      "The application's SQLite DataSource cannot keep authorizations: TypeORM shares its one connection, so a " +
        'rollback of the application would undo a stored token pair. Leave the option dataSource unset.',
    );
  }
  if (!notionAuthEntities.every((entity) => dataSource.hasMetadata(entity))) {
    throw new NotionStorageUnsupportedError(
      "The application's DataSource does not know the Notion tables: add notionAuthEntities to its entities.",
    );
  }
  requireColumnNames(dataSource);
}

async function prepareSqlite(dataSource: DataSource): Promise<void> {
  // Switching to WAL asks for the whole file and does not wait for its turn, so processes that start at once repeat,
  // for as long as one of them may need to create the tables on a slow machine.
  await withRepeats(() => dataSource.query('PRAGMA journal_mode = WAL'), isTransient, WAL_ATTEMPTS);
  // In WAL mode the default would lose the last commits, and so spent tokens' successors, with the power.
  await dataSource.query('PRAGMA synchronous = FULL');
  await dataSource.query('PRAGMA foreign_keys = ON');
  if (typeof dataSource.options.database === 'string') await makePrivate(dataSource.options.database);
}

function embeddedWarnings(environment: PrepareOptions['environment'] = process.env): readonly string[] {
  if (environment['KUBERNETES_SERVICE_HOST'] === undefined) return [];
  return [
    'Authorizations are kept in an embedded SQLite file, which serves the processes of one host only. In Kubernetes, ' +
      'set NOTION_AUTH_DATABASE_URL to a PostgreSQL, MySQL or MariaDB database that all replicas share.',
  ];
}
