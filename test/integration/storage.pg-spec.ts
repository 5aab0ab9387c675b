import { authorizationStoreContract } from '../contracts/authorization-store.contract.js';
import { connectStateStoreContract } from '../contracts/connect-state-store.contract.js';
import { hostContract } from '../contracts/host.contract.js';
import { schemaContract } from '../contracts/schema.contract.js';
import { postgres } from '../support/storage.harness.js';

authorizationStoreContract(postgres);
connectStateStoreContract(postgres);
schemaContract(postgres);
hostContract(postgres);
