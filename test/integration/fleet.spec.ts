import { fleetContract } from '../contracts/fleet.contract.js';
import { sqlite } from '../support/storage.harness.js';

fleetContract(sqlite);
