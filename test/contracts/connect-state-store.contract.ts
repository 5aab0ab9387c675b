import { describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectStateKeys, PendingConnect } from '../../src/domain/connect-state-store.js';
import { TypeOrmConnectStateStore } from '../../src/storage/typeorm-connect-state.store.js';
import { CLIENT_ID, type StorageEngine } from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

const LIMITS = { lifetimeMs: 600_000, maxPerOwner: 20 };

function someKeys(): ConnectStateKeys {
  const hash = () => createHash('sha256').update(randomBytes(32)).digest('hex');
  return { stateHash: hash(), browserHash: hash() };
}

function somePending(overrides: Partial<PendingConnect> = {}): PendingConnect {
  return {
    ownerId: 'owner-1',
    clientId: CLIENT_ID,
    redirectUri: 'http://localhost:3000/notion/callback',
    returnTo: '/settings?tab=notion',
    reconnect: null,
    ...overrides,
  };
}

/** What every engine's store of pending connects must do. */
export function connectStateStoreContract(engine: StorageEngine): void {
  describe(`pending connects on ${engine.name}`, () => {
    const storage = useStorage(engine);

    it('gives the pending connect back once', async () => {
      const { states } = storage();
      const keys = someKeys();
      const pending = somePending({ reconnect: '00000000-0000-4000-8000-000000000001' });
      await states.issue(keys, pending, LIMITS);
      expect(await states.consume(keys)).toEqual({ kind: 'consumed', pending });
      expect(await states.consume(keys)).toEqual({ kind: 'used' });
    });

    it('gives it to one of 50 parallel callers over two connections', async () => {
      const other = await storage().join();
      const keys = someKeys();
      await storage().states.issue(keys, somePending(), LIMITS);
      const stores = [storage().states, other.states];
      const results = await Promise.all(Array.from({ length: 50 }, (_, n) => stores[n % 2]!.consume(keys)));
      expect(results.filter(({ kind }) => kind === 'consumed')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'used')).toHaveLength(49);
    });

    it('refuses another browser without spending the state', async () => {
      const { states } = storage();
      const keys = someKeys();
      await states.issue(keys, somePending(), LIMITS);
      expect(await states.consume({ ...keys, browserHash: someKeys().browserHash })).toEqual({
        kind: 'wrong_browser',
      });
      expect(await states.consume(keys)).toMatchObject({ kind: 'consumed' });
    });

    it('refuses what it never issued, and what another client issued', async () => {
      const { states, database } = storage();
      const keys = someKeys();
      await states.issue(keys, somePending(), LIMITS);
      expect(await states.consume(someKeys())).toEqual({ kind: 'unknown' });
      const foreign = new TypeOrmConnectStateStore(database, { clientId: 'another-client' });
      expect(await foreign.consume(keys)).toEqual({ kind: 'unknown' });
    });

    it('refuses an expired state by the database clock, and prunes it', async () => {
      const { states } = storage();
      const keys = someKeys();
      await states.issue(keys, somePending(), { ...LIMITS, lifetimeMs: 30 });
      await sleep(60);
      expect(await states.consume(keys)).toEqual({ kind: 'expired' });
      expect(await states.prune()).toBeGreaterThanOrEqual(1);
      expect(await states.consume(keys)).toEqual({ kind: 'unknown' });
    });

    it("drops the owner's oldest beyond the limit, and nobody else's", async () => {
      const { states } = storage();
      const theirs = someKeys();
      await states.issue(theirs, somePending({ ownerId: 'bystander' }), LIMITS);
      const issued = [];
      for (let n = 0; n < 5; n += 1) {
        const keys = someKeys();
        issued.push(keys);
        await states.issue(keys, somePending({ ownerId: 'busy-owner' }), { ...LIMITS, maxPerOwner: 3 });
        await sleep(3);
      }
      const kinds = [];
      for (const keys of issued) kinds.push((await states.consume(keys)).kind);
      expect(kinds).toEqual(['unknown', 'unknown', 'consumed', 'consumed', 'consumed']);
      expect(await states.consume(theirs)).toMatchObject({ kind: 'consumed' });
    });

    it('keeps nothing of a connect that could not be written whole', async () => {
      const { states } = storage();
      const keys = someKeys();
      await expect(states.issue(keys, somePending({ returnTo: null as never }), LIMITS)).rejects.toThrow();
      const rows = await run(
        storage(),
        `SELECT * FROM notion_oauth_state WHERE state_hash = '${keys.stateHash}'`,
      );
      expect(rows).toEqual([]);
    });
  });
}
