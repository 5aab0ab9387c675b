import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TypeOrmRateBudget } from '../../src/storage/typeorm-rate.budget.js';
import type { StorageEngine } from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

/** What the shared rate must do on every engine. */
export function rateBudgetContract(engine: StorageEngine): void {
  describe(`the shared rate on ${engine.name}`, () => {
    const storage = useStorage(engine);

    it('gives the first turn now and the next ones at even distances', async () => {
      const budget = new TypeOrmRateBudget(storage().database, { clientId: randomUUID() });
      expect(await budget.reserve(10, 1)).toBe(0);
      const second = await budget.reserve(1, 1);
      expect(second).toBeGreaterThan(8_000);
      expect(second).toBeLessThanOrEqual(10_000);
      expect((await budget.reserve(1, 1)) - second).toBeGreaterThan(0);
    });

    it('never gives out more than the rate, whoever asks at once', async () => {
      const clientId = randomUUID();
      const other = await storage().join();
      const budgets = [storage(), other].map(({ database }) => new TypeOrmRateBudget(database, { clientId }));
      const beganMs = performance.now();
      const latest = await Promise.all(
        Array.from({ length: 40 }, async (_, n) => {
          const waitMs = await budgets[n % 2]!.reserve(1, 2);
          return performance.now() - beganMs + waitMs;
        }),
      );
      // The answers travel, so a turn looks later than it is, by as much as that took; never earlier.
      const tooEarly = latest.toSorted((one, next) => one - next).filter((atMs, n) => atMs < n * 500 - 1);
      expect(tooEarly).toEqual([]);
    });

    it('does not let an idle hour pay for a burst', async () => {
      const clientId = randomUUID();
      const budget = new TypeOrmRateBudget(storage().database, { clientId });
      await budget.reserve(1, 1);
      await run(
        storage(),
        `UPDATE notion_refresh_rate SET next_turn_us = next_turn_us - 3600000000 WHERE client_id = '${clientId}'`,
      );
      expect(await budget.reserve(5, 1)).toBe(0);
      expect(await budget.reserve(1, 1)).toBeGreaterThan(3_000);
    });

    it('keeps fractions of a millisecond, and refuses what is no rate', async () => {
      const budget = new TypeOrmRateBudget(storage().database, { clientId: randomUUID() });
      await budget.reserve(30_000, 3_000);
      expect(await budget.reserve(1, 3_000)).toBeGreaterThan(8_000);
      for (const [count, rate] of [
        [0, 1],
        [1, 0],
        [Number.NaN, 1],
        [1, -1],
      ] as const) {
        expect(() => budget.reserve(count, rate)).toThrow(TypeError);
      }
    });
  });
}
