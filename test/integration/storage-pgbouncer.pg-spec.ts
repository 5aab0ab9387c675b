import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSourceOptions } from 'typeorm';
import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { rateBudgetContract } from '../contracts/rate-budget.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { reportMissing } from '../support/missing-program.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { connectSome, postgres, type StorageEngine } from '../support/storage.harness.js';
import { useStorage } from '../support/use-storage.js';

let bouncer: PgBouncer | undefined;

/** Databases on the tests' PostgreSQL, reached through PgBouncer. */
const behindPgBouncer: StorageEngine = {
  name: 'PostgreSQL behind PgBouncer in transaction mode',
  async createDatabase() {
    const { options, drop } = await postgres.createDatabase();
    const url = new URL((options as { url: string }).url);
    url.port = String(bouncer?.port);
    return { options: { ...options, url: url.href } as DataSourceOptions, drop };
  },
};

if (!PgBouncer.isInstalled) {
  reportMissing('storage behind PgBouncer', 'Install it: apt-get install pgbouncer.');
} else {
  beforeAll(async () => {
    bouncer = await PgBouncer.before(new URL(process.env['NOTION_AUTH_TEST_POSTGRES_URL'] ?? ''));
  });
  afterAll(() => bouncer?.stop());

  authorizationStoreContract(behindPgBouncer);
  connectStateStoreContract(behindPgBouncer);
  rateBudgetContract(behindPgBouncer);
  schemaContract(behindPgBouncer);

  describe('the sessions behind PgBouncer', () => {
    const storage = useStorage(behindPgBouncer);

    it('are shared by more clients than there are sessions', async () => {
      const joined = await Promise.all(Array.from({ length: 4 }, () => storage().join()));
      await Promise.all(joined.flatMap(({ store }) => Array.from({ length: 4 }, () => connectSome(store))));
      const [row] = await storage().database.dataSource.query<[{ sessions: string }]>(
        `SELECT count(*) AS sessions FROM pg_stat_activity WHERE datname = current_database()`,
      );
      expect(Number(row.sessions)).toBeLessThanOrEqual(3);
    });
  });
}
