import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { notionAuthEntities } from '../../src/storage/storage-schema.js';
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
        'migration:run',
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
}
