import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { postgres } from '../support/storage.harness.js';

authorizationStoreContract(postgres);
connectStateStoreContract(postgres);
