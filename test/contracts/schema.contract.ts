import { afterEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { type DataSourceOptions } from 'typeorm';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { NOTION_AUTH_MIGRATIONS_TABLE, notionAuthEntities } from '../../src/storage/storage-schema.js';
import { openDataSource, type StorageEngine, type TestDatabase } from '../support/storage.harness.js';

const TABLES = notionAuthEntities.length;

/** What the migrations of every engine must do. */
export function schemaContract(engine: StorageEngine): void {
  describe(`migrations on ${engine.name}`, () => {
    const databases: TestDatabase[] = [];
    const opened: DataSource[] = [];

    async function emptyDatabase(): Promise<DataSourceOptions> {
      const database = await engine.createDatabase();
      databases.push(database);
      return database.options;
    }

    async function open(options: DataSourceOptions): Promise<DataSource> {
      const dataSource = await openDataSource(options);
      opened.push(dataSource);
      return dataSource;
    }

    async function tablesOf(dataSource: DataSource): Promise<string[]> {
      const runner = dataSource.createQueryRunner();
      const tables = [
        ...dataSource.entityMetadatas.map(({ tableName }) => tableName),
        NOTION_AUTH_MIGRATIONS_TABLE,
      ];
      const found = [];
      for (const table of tables) if (await runner.hasTable(table)) found.push(table);
      await runner.release();
      return found;
    }

    afterEach(async () => {
      for (const dataSource of opened.splice(0)) await dataSource.destroy();
      for (const database of databases.splice(0)) await database.drop();
    });

    it('leave nothing between the tables and the entities', async () => {
      const dataSource = await open(await emptyDatabase());
      await prepareDatabase(dataSource, { owned: true, runMigrations: true });
      const drift = await dataSource.driver.createSchemaBuilder().log();
      expect(drift.upQueries.map(({ query }) => query)).toEqual([]);
    });

    it('go down to an empty database, and up again', async () => {
      const dataSource = await open(await emptyDatabase());
      await dataSource.runMigrations();
      expect(await tablesOf(dataSource)).toHaveLength(TABLES + 1);
      for (let left = dataSource.migrations.length; left > 0; left -= 1) await dataSource.undoLastMigration();
      expect(await tablesOf(dataSource)).toEqual([NOTION_AUTH_MIGRATIONS_TABLE]);
      await prepareDatabase(dataSource, { owned: true, runMigrations: true });
      expect(await tablesOf(dataSource)).toHaveLength(TABLES + 1);
    });

    it('run once when several processes start at once', async () => {
      const options = await emptyDatabase();
      const sources = await Promise.all(Array.from({ length: 4 }, () => open(options)));
      await Promise.all(
        sources.map((source) => prepareDatabase(source, { owned: true, runMigrations: true })),
      );
      expect(await sources[0]!.query(`SELECT name FROM ${NOTION_AUTH_MIGRATIONS_TABLE}`)).toHaveLength(
        sources[0]!.migrations.length,
      );
    });

    it('are asked for by name when nobody ran them', async () => {
      const dataSource = await open(await emptyDatabase());
      await expect(prepareDatabase(dataSource, { owned: true, runMigrations: false })).rejects.toMatchObject({
        code: 'notion_storage_unsupported',
        message: expect.stringContaining('npx notion-auth migrate'),
      });
      expect(await tablesOf(dataSource)).toEqual([]);
    });

    it('are asked for when a column of this version is missing', async () => {
      const dataSource = await open(await emptyDatabase());
      await prepareDatabase(dataSource, { owned: true, runMigrations: true });
      await dataSource.query('ALTER TABLE notion_authorization DROP COLUMN unresolved_replayed');
      await expect(prepareDatabase(dataSource, { owned: true, runMigrations: false })).rejects.toThrow(
        'lacks a column of this version',
      );
    });
  });
}
