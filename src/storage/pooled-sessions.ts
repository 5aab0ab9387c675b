import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import { SECOND_MS } from '../domain/duration.js';
import { NotionStoreUnavailableError } from '../domain/errors.js';
import { poolsOf } from './connection-events.js';
import { isConnectionLoss, isTransient, isUniqueViolation, withRepeats } from './database-errors.js';
import type { DatabaseSessions, SessionWork, TransactionOptions } from './database-sessions.js';
import type { Dialect } from './dialect.js';

/** `pg` and `mysql2` alike. */
const DRIVERS_POOL_SIZE = 10;

/** Half of what a caller waits for a token, so that the caller hears of the pool and not of its own wait. */
const CONNECTION_WAIT_MS = 5 * SECOND_MS;
/** For those that stood in line behind others before they could ask the pool. */
const SHORTEST_WAIT_MS = SECOND_MS;

interface Sized {
  readonly length: number;
}

/** What a try wanted to commit when the connection broke under its commit. */
interface Unconfirmed<T> {
  readonly result: T;
}

/**
 * PostgreSQL, MySQL, MariaDB. Each piece of work takes a query runner of its own, so it never joins a transaction
 * that the application has open, and it takes exactly one, so a pool of one is enough.
 */
export class PooledSessions implements DatabaseSessions {
  /** A burst of refreshes must not stand before the application's own queries in its pool: one place stays free. */
  private readonly places: LimitFunction;

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
    private readonly onConnectionLoss: () => void = () => undefined,
  ) {
    this.places = pLimit(Math.max(1, poolSizeOf(dataSource.options) - 1));
  }

  read<T>(work: SessionWork<T>): Promise<T> {
    return withRepeats(
      () => this.withRunner((runner) => work({ manager: runner.manager, dialect: this.dialect })),
      isConnectionLoss,
    );
  }

  transaction<T>(work: SessionWork<T>, options: TransactionOptions<T>): Promise<T> {
    let unconfirmed: Unconfirmed<T> | undefined;
    const tried = async (runner: QueryRunner): Promise<T> => {
      const result = await this.work(runner, work, options, unconfirmed);
      try {
        await runner.commitTransaction();
      } catch (error) {
        if (isConnectionLoss(error)) unconfirmed = { result };
        throw error;
      }
      return result;
    };
    return withRepeats(
      () => this.withRunner((runner) => tried(runner).catch((error: unknown) => rollBack(runner, error))),
      (error) =>
        isTransient(error) ||
        (options.repeatOnUniqueViolation === true && isUniqueViolation(error)) ||
        (isConnectionLoss(error) && (unconfirmed === undefined || options.confirm !== undefined)),
    );
  }

  private withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const waitingSinceMs = performance.now();
    return this.places(() => this.onRunner(work, waitingSinceMs));
  }

  private async onRunner<T>(work: (runner: QueryRunner) => Promise<T>, waitingSinceMs: number): Promise<T> {
    // Tokens are read where they are written: a replica may still show the spent pair (R1).
    const runner = this.dataSource.createQueryRunner('master');
    try {
      await this.connect(runner, waitingSinceMs);
    } catch (error) {
      if (isConnectionLoss(error)) this.onConnectionLoss();
      throw error;
    }
    try {
      return await work(runner);
    } catch (error) {
      if (isConnectionLoss(error)) this.onConnectionLoss();
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** @throws {@link NotionStoreUnavailableError} when the application keeps every connection of its pool busy. */
  private async connect(runner: QueryRunner, waitingSinceMs: number): Promise<void> {
    const connecting: Promise<unknown> = runner.connect();
    const limitMs = Math.max(SHORTEST_WAIT_MS, CONNECTION_WAIT_MS - (performance.now() - waitingSinceMs));
    const timer = new AbortController();
    const late = sleep(limitMs, 'late' as const, { signal: timer.signal }).catch(() => null);
    try {
      const first = await Promise.race([connecting, late]);
      if (first === 'late' && isPoolExhausted(this.dataSource)) throw this.exhausted();
      await connecting;
    } catch (error) {
      // The pool may still hand the connection over; released before that, the runner would keep it.
      void connecting.finally(() => runner.release()).catch(() => undefined);
      // The driver has a limit of its own on waiting for a connection, and no word for the reason.
      throw !isConnectionLoss(error) && isPoolExhausted(this.dataSource) ? this.exhausted(error) : error;
    } finally {
      timer.abort();
    }
  }

  private exhausted(cause?: unknown): NotionStoreUnavailableError {
    if (cause instanceof NotionStoreUnavailableError) return cause;
    const size = String(poolSizeOf(this.dataSource.options));
    return new NotionStoreUnavailableError({
      cause,
      detail:
        `All ${size} connections of the application's DataSource pool are in use, and none became free within ` +
        `${String(CONNECTION_WAIT_MS)} ms. Do not wait for Notion calls inside an open transaction, look for transactions that are not closed, or raise poolSize of the DataSource.`,
    });
  }

  private async work<T>(
    runner: QueryRunner,
    work: SessionWork<T>,
    options: TransactionOptions<T>,
    unconfirmed: Unconfirmed<T> | undefined,
  ): Promise<T> {
    const durably = options.durable === true ? this.dialect.durably : null;
    // The row lock orders the writers; a stricter default of the application would only add retries.
    await runner.startTransaction(durably === null ? 'READ COMMITTED' : undefined);
    if (durably !== null) await runner.query(durably);
    const session = { manager: runner.manager, dialect: this.dialect };
    const confirmed =
      unconfirmed === undefined ? undefined : await options.confirm?.(session, unconfirmed.result);
    return confirmed ?? work(session);
  }
}

/** A connection that is gone rolls back by itself; the error worth telling is the first one. */
async function rollBack(runner: QueryRunner, error: unknown): Promise<never> {
  if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
  throw error;
}

/** Whether every connection that the pool may have is in use, by `pg` or by `mysql2`. */
function isPoolExhausted({ driver, options }: DataSource): boolean {
  const [pool] = poolsOf(driver) as {
    totalCount?: number;
    idleCount?: number;
    _allConnections?: Sized;
    _freeConnections?: Sized;
  }[];
  const total = pool?.totalCount ?? pool?._allConnections?.length ?? 0;
  const idle = pool?.idleCount ?? pool?._freeConnections?.length ?? 0;
  return total >= poolSizeOf(options) && idle === 0;
}

/** As the drivers have it: TypeORM's own option, else the driver's, else its default of ten. */
function poolSizeOf(options: DataSourceOptions): number {
  const { poolSize, extra } = options as {
    poolSize?: number;
    extra?: { max?: number; connectionLimit?: number };
  };
  return poolSize ?? extra?.max ?? extra?.connectionLimit ?? DRIVERS_POOL_SIZE;
}
