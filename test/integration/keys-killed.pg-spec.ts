import { keysKilledContract } from '../contracts/keys-killed.contract.js';
import { postgres } from '../support/storage.harness.js';

keysKilledContract(postgres);
