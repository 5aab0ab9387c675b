import { refreshContract } from '../contracts/refresh.contract.js';
import { postgres } from '../support/storage.harness.js';

refreshContract(postgres);
