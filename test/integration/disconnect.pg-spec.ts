import { disconnectContract } from '../contracts/disconnect.contract.js';
import { postgres } from '../support/storage.harness.js';

disconnectContract(postgres);
