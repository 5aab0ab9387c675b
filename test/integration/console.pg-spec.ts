import { consoleContract } from '../contracts/console.contract.js';
import { postgres } from '../support/storage.harness.js';

consoleContract(postgres);
