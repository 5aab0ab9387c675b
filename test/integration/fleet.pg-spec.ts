import { fleetContract } from '../contracts/fleet.contract.js';
import { postgres } from '../support/storage.harness.js';

fleetContract(postgres);
