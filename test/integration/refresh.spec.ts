import { refreshContract } from '../contracts/refresh.contract.js';
import { sqlite } from '../support/storage.harness.js';

refreshContract(sqlite);
