import pLimit, { type LimitFunction } from 'p-limit';
import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import { isConnectionLoss, isTransient, isUniqueViolation, withRepeats } from './database-errors.js';
import type { DatabaseSessions, SessionWork, TransactionOptions } from './database-sessions.js';
import type { Dialect } from './dialect.js';

/** `pg` and `mysql2` alike. */
const DRIVERS_POOL_SIZE = 10;

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
    return this.places(() => this.onRunner(work));
  }

  private async onRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    // Tokens are read where they are written: a replica may still show the spent pair (R1).
    const runner = this.dataSource.createQueryRunner('master');
    try {
      return await work(runner);
    } catch (error) {
      if (isConnectionLoss(error)) this.onConnectionLoss();
      throw error;
    } finally {
      await runner.release();
    }
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

/** As the drivers have it: TypeORM's own option, else the driver's, else its default of ten. */
function poolSizeOf(options: DataSourceOptions): number {
  const { poolSize, extra } = options as {
    poolSize?: number;
    extra?: { max?: number; connectionLimit?: number };
  };
  return poolSize ?? extra?.max ?? extra?.connectionLimit ?? DRIVERS_POOL_SIZE;
}
