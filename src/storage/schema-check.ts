import { QueryFailedError, type DataSource, type EntityMetadata } from 'typeorm';
import { NotionStorageUnsupportedError } from '../domain/errors.js';
import { migrationNames, migrationRecords, recordPath } from './migration-records.js';
import type { NotionDatabase } from './notion-database.js';
import { NOTION_AUTH_MIGRATIONS_TABLE, notionAuthEntities } from './storage-schema.js';

/** Codes of a missing table or column: PostgreSQL, MySQL. */
const MISSING_TABLE = new Set<unknown>(['42P01', 1146]);
const MISSING_COLUMN = new Set<unknown>(['42703', 1054]);

/**
 * @param howToMigrate - A sentence that names the step that creates the tables.
 * @throws {@link NotionStorageUnsupportedError} naming what is missing, where it is instead, and the next step.
 */
export async function requireSchema(database: NotionDatabase, howToMigrate: string): Promise<void> {
  const { dataSource } = database;
  for (const entity of notionAuthEntities) {
    const metadata = dataSource.getMetadata(entity);
    await database
      .read(async ({ manager }) => {
        const columns = metadata.columns.map(({ propertyName }) => `t.${propertyName}`);
        await manager.createQueryBuilder<object>(entity, 't').select(columns).where('1 = 0').getRawMany();
      })
      .catch(async (error: unknown) => {
        throw isMissing(error) ? await missingSchema(dataSource, metadata, howToMigrate, error) : error;
      });
  }
  await requireByteCollation(database);
}

/**
 * Statements name columns as the migrations create them.
 * @throws {@link NotionStorageUnsupportedError} when the naming strategy of the DataSource renames one.
 */
export function requireColumnNames(dataSource: DataSource): void {
  for (const { tablePath, columns } of notionAuthEntities.map((entity) => dataSource.getMetadata(entity))) {
    for (const { databaseName, givenDatabaseName, propertyName } of columns) {
      const created = givenDatabaseName ?? propertyName;
      if (databaseName === created) continue;
      throw new NotionStorageUnsupportedError(
        `The naming strategy of the application's DataSource renames the column ${tablePath}.${created} to ${databaseName}, ` +
          'and the Notion tables need the names that their entities give. Let columnName() return its argument customName ' +
          'when it is set, as SnakeNamingStrategy does, or leave the option dataSource unset and set NOTION_AUTH_DATABASE_URL.',
      );
    }
  }
}

/** As `synchronize: true` creates tables on MySQL, two owners whose ids differ in case would be one. */
async function requireByteCollation(database: NotionDatabase): Promise<void> {
  if (database.dialect.family !== 'mysql') return;
  const tables = notionAuthEntities.map((entity) => database.dataSource.getMetadata(entity).tableName);
  const found = await database.read(({ manager }) =>
    manager.query<{ name: string; collation: string }[]>(
      `SELECT TABLE_NAME AS name, TABLE_COLLATION AS collation FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables.map(() => '?').join(', ')})`,
      tables,
    ),
  );
  const folding = found.filter(({ collation }) => !collation.endsWith('_bin'));
  if (folding.length === 0) return;
  throw new NotionStorageUnsupportedError(
    `The Notion tables ${folding.map(({ name }) => name).join(', ')} have the collation ${folding[0]!.collation}, in which ` +
      'owner ids that differ in case are equal. synchronize: true creates them so on MySQL and MariaDB. Exclude the ' +
      'Notion entities from synchronize, drop these tables, and let the migrations create them.',
  );
}

async function missingSchema(
  dataSource: DataSource,
  metadata: EntityMetadata,
  howToMigrate: string,
  cause: unknown,
): Promise<NotionStorageUnsupportedError> {
  const what = isMissingTable(cause)
    ? `The table ${metadata.tablePath} does not exist`
    : `The table ${metadata.tablePath} lacks a column of this version of nestjs-notion-auth`;
  const record = await migrationRecord(dataSource);
  const elsewhere = isMissingTable(cause) ? await placesOf(dataSource, metadata) : [];
  const found = elsewhere.length === 0 ? [] : [`Found instead: ${elsewhere.join(', ')}.`];
  const sentences =
    record === null
      ? [`${what}.`, ...found, `${howToMigrate} Then start again.`]
      : [
          `${what}, although the table ${quoted(record.table)} records every Notion migration as run.`,
          ...found,
          'The likely cause is a schema, entityPrefix or naming strategy that the DataSource got or lost after the migrations ran.',
          `Move and rename the Notion tables so that this one is ${quoted(metadata.tablePath)}, or give the DataSource its former ` +
            'settings. If no authorization is stored yet, you can instead delete the rows ' +
            `${record.names.join(', ')} from ${quoted(record.table)} and run the migrations again.`,
        ];
  return new NotionStorageUnsupportedError(sentences.join(' '), { cause });
}

/** A table such as `migrations` reads as an ordinary word otherwise. */
function quoted(name: string): string {
  return `"${name}"`;
}

interface MigrationRecord {
  readonly table: string;
  readonly names: readonly string[];
}

/** Where every migration of this version is recorded as run: in the application's own table or in ours. */
async function migrationRecord(dataSource: DataSource): Promise<MigrationRecord | null> {
  const names = migrationNames(dataSource);
  for (const table of [
    dataSource.options.migrationsTableName ?? 'migrations',
    NOTION_AUTH_MIGRATIONS_TABLE,
  ]) {
    const recorded = await migrationRecords(dataSource, table);
    if (names.every((name) => recorded.has(name))) return { table: recordPath(dataSource, table), names };
  }
  return null;
}

/** Tables of the same name in other schemas, and those without the prefix of the DataSource. */
async function placesOf(dataSource: DataSource, metadata: EntityMetadata): Promise<string[]> {
  const names = [...new Set([metadata.tableName, metadata.givenTableName!])];
  const rows = await dataSource
    .createQueryBuilder()
    .select('t.table_schema', 'place')
    .addSelect('t.table_name', 'name')
    .from('information_schema.tables', 't')
    .where('t.table_name IN (:...names)', { names })
    .getRawMany<{ place: string; name: string }>()
    .catch(() => []);
  return rows.map(({ place, name }) => `${place}.${name}`);
}

/** Whether a statement failed because a table or column is not there. */
export function isMissing(error: unknown): boolean {
  return (
    isMissingTable(error) || codesOf(error).some((code) => MISSING_COLUMN.has(code)) || says(error, 'column')
  );
}

function isMissingTable(error: unknown): boolean {
  return codesOf(error).some((code) => MISSING_TABLE.has(code)) || says(error, 'table');
}

function codesOf(error: unknown): unknown[] {
  if (!(error instanceof QueryFailedError)) return [];
  const { code, errno } = error.driverError as { code?: string; errno?: number };
  return [code, errno];
}

/** SQLite has one code for every error of a statement. */
function says(error: unknown, what: 'table' | 'column'): boolean {
  return error instanceof QueryFailedError && error.message.includes(`no such ${what}`);
}
