import type { EntityManager } from 'typeorm';
import type { Dialect } from './dialect.js';

/** One connection for as long as a piece of work lasts. */
export interface DatabaseSession {
  readonly manager: EntityManager;
  readonly dialect: Dialect;
}

export type SessionWork<T> = (session: DatabaseSession) => Promise<T>;

export interface TransactionOptions<T> {
  /** The commit must survive a crash of the database, whatever the session's default. */
  readonly durable?: boolean;
  /** The work looks before it inserts: when another transaction inserted meanwhile, look again. */
  readonly repeatOnUniqueViolation?: boolean;
  /**
   * The connection broke under a commit, which may have been made or not: finds out, in the next transaction, and
   * answers its result, or `undefined` when the work is to run again. Without it the failure is thrown.
   */
  readonly confirm?: (session: DatabaseSession, unconfirmed: T) => Promise<T | undefined>;
}

/** The {@link TransactionOptions.confirm} of work that may as well run twice, or that recognises its own traces. */
export function harmlessTwice(): Promise<undefined> {
  return Promise.resolve(undefined);
}

/** How work gets a connection. Work never waits for anything but its own statements. */
export interface DatabaseSessions {
  read<T>(work: SessionWork<T>): Promise<T>;
  transaction<T>(work: SessionWork<T>, options: TransactionOptions<T>): Promise<T>;
}
