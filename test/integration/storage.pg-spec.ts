import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { hostContract } from '../contracts/host.contract.js';
import { lostConnectionContract } from '../contracts/lost-connection.contract.js';
import { keysContract } from '../contracts/keys.contract.js';
import { rateBudgetContract } from '../contracts/rate-budget.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { webhooksContract } from '../contracts/webhooks.contract.js';
import { postgres } from '../support/storage.harness.js';

authorizationStoreContract(postgres);
connectStateStoreContract(postgres);
keysContract(postgres);
rateBudgetContract(postgres);
schemaContract(postgres);
webhooksContract(postgres);
hostContract(postgres);
lostConnectionContract(postgres);
