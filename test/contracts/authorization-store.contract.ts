import { describe } from '@jest/globals';
import type { StorageEngine } from '../support/storage.harness.js';
import { atRestContract } from './at-rest.contract.js';
import { claimDueContract } from './claim-due.contract.js';
import { claimContract } from './claim.contract.js';
import { connectContract } from './connect.contract.js';
import { gatesContract } from './gates.contract.js';
import { lateExchangeContract } from './late-exchange.contract.js';
import { readingContract } from './reading.contract.js';
import { recoveryContract } from './recovery.contract.js';
import { revocationOutboxContract } from './revocation-outbox.contract.js';
import { rollForwardContract } from './roll-forward.contract.js';
import { settleContract } from './settle.contract.js';
import { storePairContract } from './store-pair.contract.js';

/** What every engine's authorization store and attempt journal must do. */
export function authorizationStoreContract(engine: StorageEngine): void {
  describe(`authorizations on ${engine.name}`, () => {
    describe('claiming', () => {
      claimContract(engine);
    });
    describe('claiming what is due', () => {
      claimDueContract(engine);
    });
    describe('gates', () => {
      gatesContract(engine);
    });
    describe('settling an attempt', () => {
      settleContract(engine);
    });
    describe('storing a pair', () => {
      storePairContract(engine);
    });
    describe('recovery', () => {
      recoveryContract(engine);
    });
    describe('rolling forward', () => {
      rollForwardContract(engine);
    });
    describe('connecting and disconnecting', () => {
      connectContract(engine);
      lateExchangeContract(engine);
    });
    describe('the outbox of revocations', () => {
      revocationOutboxContract(engine);
    });
    describe('reading', () => {
      readingContract(engine);
    });
    describe('at rest', () => {
      atRestContract(engine);
    });
  });
}
