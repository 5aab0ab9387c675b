import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { TransactionReport } from './replica.messages.js';
import { codeOf } from './replica.load.js';

/**
 * Queries that have nothing to do with the library, begun at even distances whether or not the last one is over: a
 * pool that is blocked is met by as many of them as a pool that is free. Answers their times in milliseconds.
 */
export async function timeHostQueries(host: DataSource, forMs: number, everyMs: number): Promise<number[]> {
  const startedMs = performance.now();
  const queries = Array.from({ length: Math.floor(forMs / everyMs) }, async (_, at) => {
    const wantedMs = startedMs + at * everyMs;
    await sleep(Math.max(0, wantedMs - performance.now()));
    await host.query('SELECT 1');
    return performance.now() - wantedMs;
  });
  return Promise.all(queries);
}

/** A host that has been at work for a while has its whole pool open. */
export async function openWholePool(host: DataSource, size: number): Promise<void> {
  await Promise.all(Array.from({ length: size }, () => host.query('SELECT pg_sleep(0.1)')));
}

/** What a host does that refreshes in the middle of its own work, many times at once, and then takes its work back. */
export async function refreshInTransactions(
  host: DataSource,
  refreshes: readonly (() => Promise<string>)[],
  waitMs: number,
): Promise<TransactionReport> {
  await host.query('CREATE TABLE IF NOT EXISTS host_work (note text)');
  await host.query('DELETE FROM host_work');
  const startedMs = performance.now();
  const outcomes: Record<string, number> = {};
  const inTransaction = async (refresh: () => Promise<string>) => {
    const outcome = await rolledBack(host, () => Promise.race([refresh(), sleep(waitMs, 'still_waiting')]));
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  await Promise.all(refreshes.map(inTransaction));
  const tookMs = performance.now() - startedMs;
  const [{ count }] = await host.query<[{ count: string }]>('SELECT count(*) FROM host_work');
  return { outcomes, tookMs, hostRows: Number(count) };
}

async function rolledBack(host: DataSource, work: () => Promise<string>): Promise<string> {
  const runner = host.createQueryRunner();
  await runner.startTransaction();
  try {
    await runner.query(`INSERT INTO host_work VALUES ('to be rolled back')`);
    return await work().catch((error: unknown) => `error:${codeOf(error)}`);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}
