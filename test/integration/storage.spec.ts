import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { sqlite } from '../support/storage.harness.js';

authorizationStoreContract(sqlite);
connectStateStoreContract(sqlite);
