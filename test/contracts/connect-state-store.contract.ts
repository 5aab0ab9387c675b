import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectStateKeys, PendingConnect } from '../../src/domain/connect-state-store.js';
import { TypeOrmConnectStateStore } from '../../src/storage/typeorm-connect-state.store.js';
import { CLIENT_ID, type StorageEngine } from '../support/storage.harness.js';
import { statementsDuring } from '../support/statement.recorder.js';
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

/** How each database tells what it would do, how reading a whole table or an index looks, and what keeps it informed. */
const PLANS = {
  sqlite: {
    explain: 'EXPLAIN QUERY PLAN',
    wholeTable: /SCAN (?!CONSTANT)/,
    index: /autoindex_notion_oauth_state|notion_oauth_state_(owner|expiry)_ix/,
    analyze: 'ANALYZE',
  },
  postgres: {
    explain: 'EXPLAIN',
    wholeTable: /Seq Scan/,
    index: /notion_oauth_state_(pk|owner_ix|expiry_ix)/,
    analyze: 'ANALYZE notion_oauth_state',
  },
  mysql: {
    explain: 'EXPLAIN FORMAT=JSON',
    // It reads some hundred rows through even where it has an index to hand, so that alone is asked of it.
    wholeTable: /\bno such thing\b/,
    // A lookup by primary key is made while it plans, and found to have no row.
    index: /PRIMARY|notion_oauth_state_(owner|expiry)_ix|after reading const tables/,
    analyze: 'ANALYZE TABLE notion_oauth_state',
  },
} as const;

/** What every engine's store of pending connects must do. */
export function connectStateStoreContract(engine: StorageEngine): void {
  describe(`pending connects on ${engine.name}`, () => {
    const storage = useStorage(engine);

    it('gives the pending connect back once', async () => {
      const { states } = storage();
      const keys = someKeys();
      const pending = somePending({ reconnect: '00000000-0000-4000-8000-000000000001' });
      await states.issue(keys, pending, LIMITS);
      expect(await states.consume(keys)).toEqual({ kind: 'consumed', pending, atMs: expect.any(Number) });
      expect(await states.consume(keys)).toEqual({ kind: 'in_progress', usedForMs: expect.any(Number) });
      await states.settle(keys.stateHash, 'failed');
      expect(await states.consume(keys)).toEqual({ kind: 'used' });
    });

    it('A30: gives a completed connect to its own browser, until its state expires', async () => {
      const { states } = storage();
      const [keys, others] = [someKeys(), someKeys()];
      const pending = somePending();
      await states.issue(keys, pending, { ...LIMITS, lifetimeMs: 1_500 });
      await states.settle(keys.stateHash, 'completed');
      expect(await states.consume(keys)).toMatchObject({ kind: 'consumed' });
      const { usedForMs } = (await states.consume(keys)) as { usedForMs: number };
      expect(usedForMs).toBeGreaterThanOrEqual(0);
      expect(usedForMs).toBeLessThan(1_500);
      await states.settle(keys.stateHash, 'completed');
      expect(await states.consume(keys)).toEqual({ kind: 'completed', pending });
      expect(await states.consume({ ...keys, browserHash: others.browserHash })).toEqual({
        kind: 'wrong_browser',
      });
      await sleep(1_600);
      expect(await states.consume(keys)).toEqual({ kind: 'expired' });
    });

    it('gives it to one of 50 parallel callers over two connections', async () => {
      const other = await storage().join();
      const keys = someKeys();
      await storage().states.issue(keys, somePending(), LIMITS);
      const stores = [storage().states, other.states];
      const results = await Promise.all(Array.from({ length: 50 }, (_, n) => stores[n % 2]!.consume(keys)));
      expect(results.filter(({ kind }) => kind === 'consumed')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'in_progress')).toHaveLength(49);
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

    it('A8: refuses an expired state by the database clock, once, and its row is gone', async () => {
      const { states } = storage();
      const [met, forgotten] = [someKeys(), someKeys()];
      for (const keys of [met, forgotten]) {
        await states.issue(keys, somePending(), { ...LIMITS, lifetimeMs: 30 });
      }
      await sleep(60);
      expect(await states.consume(met)).toEqual({ kind: 'expired' });
      expect(await states.consume(met)).toEqual({ kind: 'unknown' });
      expect(await states.prune()).toBe(1);
      expect(await states.consume(forgotten)).toEqual({ kind: 'unknown' });
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

    describe('under a flood', () => {
      const STARTS = 1_200;
      const GUESSES = 2_000;
      const plans = () => PLANS[storage().database.dialect.family];

      beforeAll(async () => {
        const { states } = storage();
        // Enough rows of others that a plan without the index would be the slower one, and look so.
        for (let n = 0; n < 500; n += 1) {
          await states.issue(someKeys(), somePending({ ownerId: `bystander-${String(n)}` }), LIMITS);
        }
        await run(storage(), plans().analyze);
      }, 60_000);

      it(`J1, A18: never holds more than twenty pending connects of one owner, over ${String(STARTS)} parallel starts`, async () => {
        const other = await storage().join();
        const stores = [storage().states, other.states];
        const counted: number[] = [];
        const over = new AbortController();
        const counting = (async () => {
          while (!over.signal.aborted) counted.push(await rowsOf('flooding-owner'));
        })();
        for (let begun = 0; begun < STARTS; begun += 40) {
          const starts = Array.from({ length: 40 }, (_, n) =>
            stores[n % 2]!.issue(someKeys(), somePending({ ownerId: 'flooding-owner' }), LIMITS),
          );
          await Promise.all(starts);
        }
        over.abort();
        await counting;
        expect(counted.length).toBeGreaterThan(5);
        // MySQL has no lock that ends with a transaction: there, those that begin in one instant pass it together.
        const { family } = storage().database.dialect;
        expect(Math.max(...counted)).toBeLessThanOrEqual(family === 'mysql' ? 60 : 20);
        expect(await rowsOf('flooding-owner')).toBe(20);
      }, 60_000);

      it('J1: finds the rows of an owner, and the old ones to sweep, by an index', async () => {
        const { database, states } = storage();
        const old = someKeys();
        await states.issue(old, somePending({ ownerId: 'left-long-ago' }), { ...LIMITS, lifetimeMs: 1 });
        await sleep(5);
        const statements = await statementsDuring(database.dataSource, async () => {
          await states.issue(someKeys(), somePending({ ownerId: 'flooding-owner' }), LIMITS);
          await states.prune();
        });
        const onStates = statements.filter(({ sql }) => /^(SELECT|DELETE).*notion_oauth_state/s.test(sql));
        // Whose there are, the surplus, what expired, and its removal; on MySQL a second look.
        expect(onStates.length).toBeGreaterThanOrEqual(4);
        for (const { sql, parameters } of onStates) await expectIndexed(sql, parameters);
        expect(await states.consume(old)).toEqual({ kind: 'unknown' });
      });

      it('J1: sweeps more than one statement takes', async () => {
        const { states } = storage();
        for (let n = 0; n < 1_100; n += 1) {
          await states.issue(someKeys(), somePending({ ownerId: `gone-${String(n)}` }), {
            ...LIMITS,
            lifetimeMs: 1,
          });
        }
        await sleep(5);
        expect(await states.prune()).toBe(1_100);
        expect(await states.prune()).toBe(0);
      });

      it(`J8: meets ${String(GUESSES)} unknown states with one indexed lookup each, and no write`, async () => {
        const { database, states } = storage();
        const before = await run(
          storage(),
          'SELECT count(*) AS kept, max(used_at) AS used FROM notion_oauth_state',
        );
        const kinds = new Set<string>();
        const statements = await statementsDuring(database.dataSource, async () => {
          for (let guess = 0; guess < GUESSES; guess += 50) {
            const answers = await Promise.all(Array.from({ length: 50 }, () => states.consume(someKeys())));
            for (const { kind } of answers) kinds.add(kind);
          }
        });
        expect([...kinds]).toEqual(['unknown']);
        expect(statements).toHaveLength(GUESSES);
        expect(new Set(statements.map(({ sql }) => sql)).size).toBe(1);
        expect(statements[0]!.sql).toMatch(/^SELECT /);
        await expectIndexed(statements[0]!.sql, statements[0]!.parameters);
        expect(
          await run(storage(), 'SELECT count(*) AS kept, max(used_at) AS used FROM notion_oauth_state'),
        ).toEqual(before);
      });

      async function rowsOf(ownerId: string): Promise<number> {
        const [row] = (await run(
          storage(),
          `SELECT count(*) AS kept FROM notion_oauth_state WHERE owner_id = '${ownerId}'`,
        )) as [{ kept: string | number }];
        return Number(row.kept);
      }

      async function expectIndexed(sql: string, parameters: readonly unknown[]): Promise<void> {
        const plan = await storage().database.read(({ manager }) =>
          manager.query<unknown>(`${plans().explain} ${sql}`, [...parameters]),
        );
        expect(JSON.stringify(plan)).not.toMatch(plans().wholeTable);
        expect(JSON.stringify(plan)).toMatch(plans().index);
      }
    });
  });
}
