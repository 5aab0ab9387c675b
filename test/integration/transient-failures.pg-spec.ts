import { transientFailuresContract } from '../contracts/transient-failures.contract.js';
import { postgres } from '../support/storage.harness.js';

transientFailuresContract(postgres);
