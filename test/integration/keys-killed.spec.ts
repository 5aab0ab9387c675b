import { keysKilledContract } from '../contracts/keys-killed.contract.js';
import { sqlite } from '../support/storage.harness.js';

keysKilledContract(sqlite);
