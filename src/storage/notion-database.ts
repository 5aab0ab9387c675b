import type { DataSource } from 'typeorm';
import { ConnectionEvents } from './connection-events.js';
import type { DatabaseSessions, SessionWork, TransactionOptions } from './database-sessions.js';
import { dialectOf, skipsLocked, type Dialect } from './dialect.js';
import { PooledSessions } from './pooled-sessions.js';
import { SqliteSessions } from './sqlite-sessions.js';

/**
 * The prepared connection that all stores of one module share; its own injection token.
 * @see prepareDatabase
 */
export class NotionDatabase {
  readonly dialect: Dialect;
  readonly connections: ConnectionEvents;
  /** Private also to whoever prints it: its options may hold a password. */
  readonly #dataSource: DataSource;
  readonly #sessions: DatabaseSessions;

  constructor(
    dataSource: DataSource,
    /** What to log at startup: it works and is worth a look. */
    readonly warnings: readonly string[] = [],
  ) {
    const dialect = dialectOf(dataSource.options.type);
    this.dialect = { ...dialect, skipsLocked: skipsLocked(dialect, dataSource.driver.version) };
    this.connections = new ConnectionEvents(dataSource.driver);
    this.#dataSource = dataSource;
    this.#sessions = this.dialect.locksRows
      ? new PooledSessions(dataSource, this.dialect, () => {
          this.connections.tell();
        })
      : new SqliteSessions(dataSource, this.dialect);
  }

  get dataSource(): DataSource {
    return this.#dataSource;
  }

  /** Statements that only read, each seeing what is committed. They run again after a lost connection. */
  read<T>(work: SessionWork<T>): Promise<T> {
    return this.#sessions.read(work);
  }

  /**
   * All of `work` or nothing. It runs again after a lock conflict or a lost connection, so it must touch nothing but
   * the database.
   */
  transaction<T>(work: SessionWork<T>, options: TransactionOptions<T> = {}): Promise<T> {
    return this.#sessions.transaction(work, options);
  }
}
