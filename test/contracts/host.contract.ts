import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, DefaultNamingStrategy, type DataSourceOptions } from 'typeorm';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { notionAuthEntities, notionAuthMigrations } from '../../src/storage/storage-schema.js';
import {
  claimed,
  connectSome,
  somePair,
  storageProcess,
  type StorageEngine,
  type StorageProcess,
  type TestDatabase,
} from '../support/storage.harness.js';

/** What must hold on a pool that belongs to the application. */
export function hostContract(engine: StorageEngine): void {
  describe(`the application's own DataSource on ${engine.name}`, () => {
    let database: TestDatabase;
    let host: DataSource;
    let storage: StorageProcess;

    /** As an application writes it: its own pool and migrations, our entities among its own. */
    function hostOptions(changes: object = {}): DataSourceOptions {
      const own = { ...database.options, migrations: [], migrationsTableName: 'migrations' };
      return { ...own, entities: [...notionAuthEntities], poolSize: 2, ...changes } as DataSourceOptions;
    }

    beforeAll(async () => {
      database = await engine.createDatabase();
      host = await new DataSource(hostOptions()).initialize();
    });

    afterAll(async () => {
      await host.destroy();
      await database.drop();
    });

    it('is refused without the entities, and without the tables', async () => {
      const ignorant = await new DataSource(hostOptions({ entities: [] })).initialize();
      await expect(prepareDatabase(ignorant, { owned: false, runMigrations: null })).rejects.toThrow(
        'notionAuthEntities',
      );
      await ignorant.destroy();
      await expect(prepareDatabase(host, { owned: false, runMigrations: null })).rejects.toThrow(
        'NOTION_AUTH_RUN_MIGRATIONS=true',
      );
    });

    it('is migrated beside its own migrations when asked to', async () => {
      storage = storageProcess(await prepareDatabase(host, { owned: false, runMigrations: true }));
      const runner = host.createQueryRunner();
      expect(await runner.hasTable('notion_auth_migration')).toBe(true);
      expect(await runner.hasTable('migrations')).toBe(false);
      await runner.release();
    });

    it('lends a connection of our own while the application has a transaction open, which it then rolls back', async () => {
      const { store } = storage;
      const { id } = await connectSome(store);
      const pair = somePair();
      await expect(
        host.transaction(async (application) => {
          await application.query('SELECT 1');
          await store.storePair(await claimed(store, id), pair, { outcome: 'success' });
          throw new Error('the application changes its mind');
        }),
      ).rejects.toThrow('changes its mind');
      expect((await store.readAccessToken(id))!.token!.equals(pair.accessToken)).toBe(true);
    });

    it('says so when open transactions of the application use up its pool, and works again when they end', async () => {
      const narrow = await new DataSource(hostOptions({ poolSize: 2 })).initialize();
      const held = [narrow.createQueryRunner(), narrow.createQueryRunner()];
      try {
        const { store } = storageProcess(
          await prepareDatabase(narrow, { owned: false, runMigrations: null }),
        );
        const { id } = await connectSome(store);
        for (const runner of held) await runner.startTransaction();
        const calls = [
          store.find(id),
          store.claim({ authorizationId: id, trigger: 'unauthorized', seenVersion: 1, leaseMs: 60_000 }),
        ];
        for (const call of await Promise.allSettled(calls))
          expect(call).toMatchObject({
            reason: {
              code: 'notion_store_unavailable',
              message: expect.stringMatching(
                /^All 2 connections of the application's DataSource pool are in use.*poolSize/,
              ),
            },
          });
        for (const runner of held) await runner.rollbackTransaction();
        for (const runner of held) await runner.release();
        // What waited has given its connections back.
        for (let round = 0; round < 5; round += 1) expect((await store.find(id))?.id).toBe(id);
        await Promise.all(held.map(() => narrow.query('SELECT 1')));
      } finally {
        for (const runner of held) await runner.release();
        await narrow.destroy();
      }
    });

    it('needs no second connection: a pool of one carries everything', async () => {
      const narrow = await new DataSource(hostOptions({ poolSize: 1 })).initialize();
      try {
        const { store } = storageProcess(
          await prepareDatabase(narrow, { owned: false, runMigrations: null }),
        );
        await Promise.all(
          Array.from({ length: 20 }, async () => {
            const { id, connection } = await connectSome(store);
            await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
            await store.settle(await claimed(store, id, 2), { kind: 'release' }, { outcome: 'not_sent' });
            await store.listForOwner(connection.ownerId);
            await store.disconnect(id, connection.ownerId);
          }),
        );
      } finally {
        await narrow.destroy();
      }
    });
  });
  describe(`table names of the application's DataSource on ${engine.name}`, () => {
    let database: TestDatabase;
    const opened: DataSource[] = [];
    const isPostgres = engine.name === 'PostgreSQL';

    async function open(changes: object): Promise<DataSource> {
      const own = { ...database.options, migrations: [], migrationsTableName: 'migrations' };
      const options = { ...own, entities: [...notionAuthEntities], ...changes } as DataSourceOptions;
      const dataSource = await new DataSource(options).initialize();
      opened.push(dataSource);
      return dataSource;
    }

    /** As an application that runs our migrations among its own. */
    function withMigrations(changes: object): Promise<DataSource> {
      return open({
        ...changes,
        migrations: notionAuthMigrations(database.options.type),
        migrationsRun: true,
      });
    }

    async function tablesWithPrefix(dataSource: DataSource, prefix: string): Promise<number> {
      const rows = await dataSource.query<{ path: string }[]>(
        `SELECT CONCAT(table_schema, '.', table_name) AS path FROM information_schema.tables WHERE table_name LIKE '%notion%'`,
      );
      return rows.filter(({ path }) => path.includes(prefix)).length;
    }

    async function expectToWork(dataSource: DataSource, runMigrations: boolean | null): Promise<void> {
      const { store } = storageProcess(await prepareDatabase(dataSource, { owned: false, runMigrations }));
      const { id, connection } = await connectSome(store);
      await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
      expect(await store.listForOwner(connection.ownerId)).toHaveLength(1);
      expect((await store.disconnect(id, connection.ownerId)).kind).not.toBe('not_found');
      const drift = await dataSource.driver.createSchemaBuilder().log();
      expect(drift.upQueries.map(({ query }) => query)).toEqual([]);
    }

    beforeEach(async () => {
      database = await engine.createDatabase();
      if (isPostgres) await (await open({})).query('CREATE SCHEMA app');
    });

    afterEach(async () => {
      for (const dataSource of opened.splice(0)) await dataSource.destroy();
      await database.drop();
    });

    const naming: [string, object, string][] = [
      ['entityPrefix', { entityPrefix: 'crm_' }, '.crm_notion'],
      ['a naming strategy for names that are not given', { namingStrategy: new SnakeNaming() }, '.notion'],
      ['a naming strategy that renames tables', { namingStrategy: new PluralNaming() }, 's'],
    ];
    if (isPostgres) {
      naming.push(['schema', { schema: 'app' }, 'app.notion']);
      naming.push(['schema and entityPrefix', { schema: 'app', entityPrefix: 'crm_' }, 'app.crm_notion']);
    }

    it.each(naming)('are honoured with %s: our migrations among its own', async (_, changes, prefix) => {
      const dataSource = await withMigrations(changes);
      await expectToWork(dataSource, null);
      expect(await tablesWithPrefix(dataSource, prefix)).toBe(notionAuthEntities.length);
    });

    it.each(naming)('are honoured with %s: runMigrations', async (_, changes, prefix) => {
      const dataSource = await open(changes);
      await expectToWork(dataSource, true);
      expect(await tablesWithPrefix(dataSource, prefix)).toBeGreaterThanOrEqual(notionAuthEntities.length);
    });

    it('are honoured by a DataSource that runs the migrations without the entities, and on the way down', async () => {
      const changes = { entityPrefix: 'crm_', ...(isPostgres ? { schema: 'app' } : {}) };
      const migrating = await withMigrations({ ...changes, entities: [] });
      await expectToWork(await open(changes), null);
      for (let left = migrating.migrations.length; left > 0; left -= 1) await migrating.undoLastMigration();
      expect(await tablesWithPrefix(migrating, 'crm_notion')).toBe(0);
    });

    it('may come from synchronize: the migrations then find them there, or say why they cannot be used', async () => {
      await open({ synchronize: true });
      const dataSource = await withMigrations({});
      const unprepared = await open({});
      if (isPostgres) {
        await expectToWork(dataSource, null);
        await expectToWork(unprepared, true);
      } else {
        await expect(prepareDatabase(dataSource, { owned: false, runMigrations: true })).rejects.toThrow(
          /owner ids that differ in case are equal.*drop these tables, and let the migrations create them/,
        );
      }
    });

    it('must leave the columns as they are: another name is refused with the way out', async () => {
      const dataSource = await withMigrations({ namingStrategy: new CamelNaming() });
      await expect(prepareDatabase(dataSource, { owned: false, runMigrations: null })).rejects.toThrow(
        /renames the column notion_authorization\.client_id to clientId.*return its argument customName/,
      );
    });

    it('that change after the migrations ran are told with where the tables are, and never to run the migrations alone', async () => {
      await withMigrations({});
      const dataSource = await open({ entityPrefix: 'crm_' });
      const refusal = await prepareDatabase(dataSource, { owned: false, runMigrations: null }).catch(String);
      expect(refusal).toContain(
        'The table crm_notion_authorization does not exist, although the table "migrations" records',
      );
      expect(refusal).toMatch(
        /Found instead: \S+\.notion_authorization\. The likely cause is a schema, entityPrefix/,
      );
      await expect(prepareDatabase(dataSource, { owned: false, runMigrations: true })).rejects.toThrow(
        'names of constraints are unique there. Rename or drop those tables',
      );
    });
  });
}

/** As `typeorm-naming-strategies` has it: names that are given stay. */
class SnakeNaming extends DefaultNamingStrategy {
  override tableName(target: string, given: string | undefined): string {
    return given ?? snake(target);
  }

  override columnName(property: string, given: string, prefixes: string[]): string {
    return snake(prefixes.concat('').join('_')) + (given || snake(property));
  }
}

class PluralNaming extends DefaultNamingStrategy {
  override tableName(target: string, given: string | undefined): string {
    return `${given ?? snake(target)}s`;
  }
}

class CamelNaming extends DefaultNamingStrategy {
  override columnName(property: string): string {
    return property;
  }
}

function snake(name: string): string {
  return name.replace(/[a-z](?=[A-Z])/g, '$&_').toLowerCase();
}
