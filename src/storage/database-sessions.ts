import type { EntityManager } from 'typeorm';
import type { Dialect } from './dialect.js';

/** One connection for as long as a piece of work lasts. */
export interface DatabaseSession {
  readonly manager: EntityManager;
  readonly dialect: Dialect;
}

export type SessionWork<T> = (session: DatabaseSession) => Promise<T>;

export interface TransactionOptions {
  /** The commit must survive a crash of the database, whatever the session's default. */
  readonly durable?: boolean;
  /** The work looks before it inserts: when another transaction inserted meanwhile, look again. */
  readonly repeatOnUniqueViolation?: boolean;
}

/** How work gets a connection. Work never waits for anything but its own statements. */
export interface DatabaseSessions {
  read<T>(work: SessionWork<T>): Promise<T>;
  transaction<T>(work: SessionWork<T>, options: TransactionOptions): Promise<T>;
}
