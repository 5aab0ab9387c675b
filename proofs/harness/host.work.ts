import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { TransactionReport } from './replica.messages.js';
import { codeOf } from './replica.load.js';

/** Queries that have nothing to do with the library, one after another, timed from when they were wanted. */
export async function timeHostQueries(host: DataSource, forMs: number, everyMs: number): Promise<number[]> {
  const timesMs: number[] = [];
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    const startedMs = performance.now();
    await host.query('SELECT 1');
    timesMs.push(performance.now() - startedMs);
    await sleep(everyMs);
  }
  return timesMs;
}

class RolledBack extends Error {}

/** What a host does that refreshes in the middle of its own work, and then takes that work back. */
export async function refreshInTransaction(
  host: DataSource,
  refresh: () => Promise<string>,
  waitMs: number,
): Promise<TransactionReport> {
  await host.query('CREATE TABLE IF NOT EXISTS host_work (note text)');
  await host.query('DELETE FROM host_work');
  const startedMs = performance.now();
  let outcome = 'still_waiting';
  await host
    .transaction(async (manager) => {
      await manager.query(`INSERT INTO host_work VALUES ('to be rolled back')`);
      outcome = await Promise.race([refresh().catch(asError), sleep(waitMs, 'still_waiting')]);
      throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  const tookMs = performance.now() - startedMs;
  const [{ count }] = await host.query<[{ count: string }]>('SELECT count(*) FROM host_work');
  return { outcome, tookMs, hostRows: Number(count) };
}

function asError(error: unknown): string {
  return `error:${codeOf(error)}`;
}
