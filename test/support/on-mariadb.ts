import { afterAll, beforeAll } from '@jest/globals';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { MariadbServer } from '../../proofs/harness/mariadb.server.js';
import { reportMissing } from './missing-program.js';

const VARIABLE = 'NOTION_AUTH_TEST_MARIADB_URL';
const START_WITHIN_MS = 90_000;

/**
 * Runs suites on a MariaDB of their own where one is installed (Debian: `apt-get install mariadb-server`), else on the
 * one that NOTION_AUTH_TEST_MARIADB_URL names, else not at all: see {@link reportMissing}.
 */
export function onMariadb(suites: () => void): void {
  if (MariadbServer.isInstalled) {
    startOwnServer();
    suites();
  } else if (process.env[VARIABLE] !== undefined) {
    suites();
  } else {
    reportMissing(
      'everything on MariaDB',
      `Install mariadb-server, or set ${VARIABLE} (mariadb://user:password@127.0.0.1:3306/mysql, a user who may ` +
        'create databases).',
    );
  }
}

function startOwnServer(): void {
  const leftovers = new Leftovers();
  beforeAll(async () => {
    process.env[VARIABLE] = (await MariadbServer.start(leftovers)).urlOf('mysql');
  }, START_WITHIN_MS);
  afterAll(() => leftovers.clear());
}
