import { silentDatabaseContract } from '../contracts/silent-database.contract.js';
import { onMariadb } from '../support/on-mariadb.js';
import { mariadb } from '../support/storage.harness.js';

onMariadb(() => {
  silentDatabaseContract(mariadb);
});
