import { tenancyContract } from '../contracts/tenancy.contract.js';
import { sqlite } from '../support/storage.harness.js';

tenancyContract(sqlite);
