import type { DataSource, QueryRunner } from 'typeorm';
import { isTransient, isUniqueViolation, withRepeats } from './database-errors.js';
import type { DatabaseSessions, SessionWork, TransactionOptions } from './database-sessions.js';
import type { Dialect } from './dialect.js';

/**
 * PostgreSQL, MySQL, MariaDB. Each piece of work takes a query runner of its own, so it never joins a transaction
 * that the application has open, and it takes exactly one, so a pool of one is enough.
 */
export class PooledSessions implements DatabaseSessions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {}

  read<T>(work: SessionWork<T>): Promise<T> {
    return this.withRunner((runner) => work({ manager: runner.manager, dialect: this.dialect }));
  }

  transaction<T>(work: SessionWork<T>, options: TransactionOptions): Promise<T> {
    return withRepeats(
      () => this.withRunner((runner) => this.commit(runner, work, options)),
      (error) => isTransient(error) || (options.repeatOnUniqueViolation === true && isUniqueViolation(error)),
    );
  }

  private async withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    // Tokens are read where they are written: a replica may still show the spent pair (R1).
    const runner = this.dataSource.createQueryRunner('master');
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  private async commit<T>(
    runner: QueryRunner,
    work: SessionWork<T>,
    options: TransactionOptions,
  ): Promise<T> {
    // The row lock orders the writers; a stricter default of the application would only add retries.
    await runner.startTransaction('READ COMMITTED');
    try {
      if (options.durable === true) {
        for (const statement of this.dialect.durableCommit) await runner.query(statement);
      }
      const result = await work({ manager: runner.manager, dialect: this.dialect });
      await runner.commitTransaction();
      return result;
    } catch (error) {
      await rollBack(runner);
      throw error;
    }
  }
}

/** A connection that is gone rolls back by itself; the error worth telling is the first one. */
async function rollBack(runner: QueryRunner): Promise<void> {
  if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
}
