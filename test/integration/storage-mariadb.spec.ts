import { describe, it } from '@jest/globals';
import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { hostContract } from '../contracts/host.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { mariadb } from '../support/storage.harness.js';

// A server is only touched by name: each suite creates and drops databases on it.
if (process.env['NOTION_AUTH_TEST_MARIADB_URL'] === undefined) {
  process.stderr.write(
    '\nSKIPPED: storage on MariaDB. Set NOTION_AUTH_TEST_MARIADB_URL (mariadb://user:password@127.0.0.1:3306/mysql, ' +
      'a user who may create databases) to run it.\n',
  );
  describe('storage on MariaDB', () => {
    it.skip('needs NOTION_AUTH_TEST_MARIADB_URL', () => undefined);
  });
} else {
  authorizationStoreContract(mariadb);
  connectStateStoreContract(mariadb);
  schemaContract(mariadb);
  hostContract(mariadb);
}
