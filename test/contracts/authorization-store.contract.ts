import { describe } from '@jest/globals';
import type { StorageEngine } from '../support/storage.harness.js';
import { atRestContract } from './at-rest.contract.js';
import { claimContract } from './claim.contract.js';
import { connectContract } from './connect.contract.js';
import { readingContract } from './reading.contract.js';
import { settleContract } from './settle.contract.js';
import { storePairContract } from './store-pair.contract.js';

/** What every engine's authorization store and attempt journal must do. */
export function authorizationStoreContract(engine: StorageEngine): void {
  describe(`authorizations on ${engine.name}`, () => {
    describe('claiming', () => {
      claimContract(engine);
    });
    describe('settling an attempt', () => {
      settleContract(engine);
    });
    describe('storing a pair', () => {
      storePairContract(engine);
    });
    describe('connecting and disconnecting', () => {
      connectContract(engine);
    });
    describe('reading', () => {
      readingContract(engine);
    });
    describe('at rest', () => {
      atRestContract(engine);
    });
  });
}
