import { DataSource, MigrationExecutor, type EntityManager } from 'typeorm';
import type { DatabaseFamily } from './dialect.js';
import { explainMigrationFailure } from './migration-failure.js';
import { migrationNames, migrationRecords } from './migration-records.js';
import { NotionDatabase } from './notion-database.js';
import { NOTION_AUTH_MIGRATIONS_TABLE, notionAuthEntities, notionAuthMigrations } from './storage-schema.js';

/** Any number that no other library is likely to lock. */
const POSTGRES_LOCK = 7_235_419_003;
const MYSQL_LOCK = 'notion_auth_migration';
const MYSQL_LOCK_WAIT_S = 60;

type MigrationLock = <T>(manager: EntityManager, migrate: () => Promise<T>) => Promise<T>;

/** Of several processes that start at once, one migrates and the others then find nothing to do. */
const LOCKS: Readonly<Record<DatabaseFamily, MigrationLock>> = {
  // The write transaction around it is the lock.
  sqlite: (_manager, migrate) => migrate(),
  postgres: async (manager, migrate) => {
    await manager.query(`SELECT pg_advisory_xact_lock(${String(POSTGRES_LOCK)})`);
    return migrate();
  },
  // Data definition commits by itself here, so the lock belongs to the session.
  mysql: async (manager, migrate) => {
    const [row] = await manager.query<[{ locked: number | string }]>(
      `SELECT GET_LOCK('${MYSQL_LOCK}', ${String(MYSQL_LOCK_WAIT_S)}) AS locked`,
    );
    if (Number(row.locked) !== 1)
      throw new Error(
        `Another process has held the migration lock for ${String(MYSQL_LOCK_WAIT_S)} s. Start again when it has finished.`,
      );
    try {
      return await migrate();
    } finally {
      await manager.query(`SELECT RELEASE_LOCK('${MYSQL_LOCK}')`);
    }
  },
};

/**
 * Runs the pending migrations of the module's own DataSource, all or none where the engine can.
 * @returns Their names.
 * @throws {@link NotionStorageUnsupportedError} naming the migration that failed and the next step.
 */
export async function migrate(database: NotionDatabase): Promise<readonly string[]> {
  try {
    return await database.transaction(async ({ manager, dialect }) => {
      const executor = new MigrationExecutor(database.dataSource, manager.queryRunner);
      executor.transaction = 'none';
      const run = await LOCKS[dialect.family](manager, () => executor.executePendingMigrations());
      return run.map(({ name }) => name);
    });
  } catch (error) {
    throw explainMigrationFailure(error);
  }
}

/** Names of the migrations that {@link migrate} would run; changes nothing. */
export async function pendingMigrations(database: NotionDatabase): Promise<readonly string[]> {
  const recorded = await migrationRecords(database.dataSource, NOTION_AUTH_MIGRATIONS_TABLE);
  return migrationNames(database.dataSource).filter((name) => !recorded.has(name));
}

/**
 * As {@link migrate} for an application's DataSource, over a connection of its own, so that the application's
 * migrations are neither run nor mixed with ours.
 */
export async function migrateBeside(host: DataSource): Promise<void> {
  const beside = await new DataSource({
    ...host.options,
    entities: [...notionAuthEntities],
    migrations: notionAuthMigrations(host.options.type),
    migrationsTableName: NOTION_AUTH_MIGRATIONS_TABLE,
    subscribers: [],
    synchronize: false,
    dropSchema: false,
    migrationsRun: false,
    poolSize: 1,
  } as DataSource['options']).initialize();
  try {
    await migrate(new NotionDatabase(beside));
  } finally {
    await beside.destroy();
  }
}
