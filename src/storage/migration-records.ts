import type { DataSource, DataSourceOptions } from 'typeorm';
import { notionAuthMigrations } from './storage-schema.js';

/** Names of the Notion migrations of this version, in their order. */
export function migrationNames({ options }: DataSource): readonly string[] {
  return notionAuthMigrations(options.type).map((migration) => new migration().name);
}

/** Names that a table of migrations records as run; none where there is no such table. */
export async function migrationRecords(dataSource: DataSource, table: string): Promise<ReadonlySet<string>> {
  const rows = await dataSource
    .createQueryBuilder()
    .select('m.name', 'name')
    .from(recordPath(dataSource, table), 'm')
    .getRawMany<{ name: string }>()
    .catch(() => []);
  return new Set(rows.map(({ name }) => name));
}

/** A table of migrations is in the schema of its DataSource, without the prefix of the entities. */
export function recordPath({ driver, options }: DataSource, table: string): string {
  return driver.buildTableName(table, (options as DataSourceOptions & { readonly schema?: string }).schema);
}
