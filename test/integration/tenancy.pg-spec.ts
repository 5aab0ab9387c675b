import { tenancyContract } from '../contracts/tenancy.contract.js';
import { postgres } from '../support/storage.harness.js';

tenancyContract(postgres);
