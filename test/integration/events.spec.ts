import { eventsContract } from '../contracts/events.contract.js';
import { sqlite } from '../support/storage.harness.js';

eventsContract(sqlite);
