import { eventsContract } from '../contracts/events.contract.js';
import { postgres } from '../support/storage.harness.js';

eventsContract(postgres);
