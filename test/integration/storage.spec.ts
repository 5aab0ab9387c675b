import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { keysContract } from '../contracts/keys.contract.js';
import { rateBudgetContract } from '../contracts/rate-budget.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { webhooksContract } from '../contracts/webhooks.contract.js';
import { sqlite } from '../support/storage.harness.js';

authorizationStoreContract(sqlite);
connectStateStoreContract(sqlite);
keysContract(sqlite);
rateBudgetContract(sqlite);
schemaContract(sqlite);
webhooksContract(sqlite);
