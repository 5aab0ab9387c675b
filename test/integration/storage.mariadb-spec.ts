import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { disconnectContract } from '../contracts/disconnect.contract.js';
import { eventsContract } from '../contracts/events.contract.js';
import { hostContract } from '../contracts/host.contract.js';
import { keysContract } from '../contracts/keys.contract.js';
import { keysKilledContract } from '../contracts/keys-killed.contract.js';
import { lostConnectionContract } from '../contracts/lost-connection.contract.js';
import { rateBudgetContract } from '../contracts/rate-budget.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { tenancyContract } from '../contracts/tenancy.contract.js';
import { webhooksContract } from '../contracts/webhooks.contract.js';
import { onMariadb } from '../support/on-mariadb.js';
import { mariadb } from '../support/storage.harness.js';

onMariadb(() => {
  authorizationStoreContract(mariadb);
  connectStateStoreContract(mariadb);
  disconnectContract(mariadb);
  eventsContract(mariadb);
  keysContract(mariadb);
  keysKilledContract(mariadb);
  rateBudgetContract(mariadb);
  schemaContract(mariadb);
  tenancyContract(mariadb);
  webhooksContract(mariadb);
  hostContract(mariadb);
  lostConnectionContract(mariadb);
});
