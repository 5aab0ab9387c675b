import { transientFailuresContract } from '../contracts/transient-failures.contract.js';
import { sqlite } from '../support/storage.harness.js';

transientFailuresContract(sqlite);
