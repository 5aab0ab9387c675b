import pLimit from 'p-limit';
import type { DataSource, QueryRunner } from 'typeorm';
import { withRepeats } from './database-errors.js';
import type { DatabaseSessions, SessionWork } from './database-sessions.js';
import type { Dialect } from './dialect.js';

/**
 * SQLite. TypeORM shares one connection among all callers and nests their transactions into each other, so
 * everything here stands in one line. `BEGIN IMMEDIATE` takes the write lock at once: a transaction that reads
 * first and upgrades later loses against another process without waiting.
 * @see https://sqlite.org/lang_transaction.html
 */
export class SqliteSessions implements DatabaseSessions {
  private readonly line = pLimit(1);

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {}

  read<T>(work: SessionWork<T>): Promise<T> {
    // In the line as well: the shared connection would show what an open transaction has not committed.
    return this.line(() =>
      withRepeats(() => work({ manager: this.runner().manager, dialect: this.dialect })),
    );
  }

  transaction<T>(work: SessionWork<T>): Promise<T> {
    return this.line(() => withRepeats(() => this.commit(this.runner(), work)));
  }

  private async commit<T>(runner: QueryRunner, work: SessionWork<T>): Promise<T> {
    await runner.query('BEGIN IMMEDIATE');
    try {
      const result = await work({ manager: runner.manager, dialect: this.dialect });
      await runner.query('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk); the first error is the one to tell.
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** TypeORM answers the same runner each time; it is never released. */
  private runner(): QueryRunner {
    return this.dataSource.createQueryRunner();
  }
}
