import { setTimeout as sleep } from 'node:timers/promises';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { SECOND_MS } from '../domain/duration.js';

/**
 * Failures after which the same short transaction may simply run again: the engine has undone all of it.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 * @see https://sqlite.org/rescode.html
 */
const TRANSIENT = new Set<string | number>([
  '55P03', // PostgreSQL lock_not_available: lock_timeout ran out
  '40P01', // PostgreSQL deadlock_detected
  '40001', // PostgreSQL serialization_failure
  1205, // MySQL ER_LOCK_WAIT_TIMEOUT
  1213, // MySQL ER_LOCK_DEADLOCK
  'SQLITE_BUSY', // another process holds the write lock
  'SQLITE_BUSY_RECOVERY', // another process is recovering the WAL
  'SQLITE_BUSY_SNAPSHOT', // the snapshot read is older than the last write
  'SQLITE_PROTOCOL', // lost the race for the WAL's locks
]);

/** SQLite's is missing: its writers stand in line, so none inserts what another looked for in vain. */
const UNIQUE_VIOLATION = new Set<string | number>([
  '23505', // PostgreSQL unique_violation
  1062, // MySQL ER_DUP_ENTRY
]);

/** The connection is gone, or there was none to be had: whatever was not committed is undone. */
const CONNECTION_LOST = new Set<string | number>([
  '57P01', // PostgreSQL admin_shutdown: also pg_terminate_backend
  '57P02', // PostgreSQL crash_shutdown
  '57P03', // PostgreSQL cannot_connect_now: starting up
  '57P05', // PostgreSQL idle_session_timeout
  '25P03', // PostgreSQL idle_in_transaction_session_timeout
  1053, // MySQL ER_SERVER_SHUTDOWN
  1152, // MySQL ER_ABORTING_CONNECTION
  1184, // MySQL ER_NEW_ABORTING_CONNECTION
  1927, // MariaDB ER_CONNECTION_KILLED
  2006, // MySQL CR_SERVER_GONE_ERROR
  2013, // MySQL CR_SERVER_LOST
  4031, // MySQL ER_CLIENT_INTERACTION_TIMEOUT
  'PROTOCOL_CONNECTION_LOST',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
]);

/** PostgreSQL class 08; poolers answer with it too when their server is gone. */
const CONNECTION_EXCEPTION = /^08[0-9A-Z]{3}$/;

/** What `pg` and `mysql2` say, without a code, of a connection that ended before or under a statement. */
const CONNECTION_LOST_MESSAGE =
  /connection terminated|connection error and is not queryable|connection is in closed state|connection ended/i;

/** No connection was free for a moment, or the statement was cancelled: the next try usually succeeds. */
const SOON_OVER = new Set<string | number>([
  '53300', // PostgreSQL too_many_connections
  '57014', // PostgreSQL query_canceled: also statement_timeout
  1040, // MySQL ER_CON_COUNT_ERROR
  1203, // MySQL ER_TOO_MANY_USER_CONNECTIONS
  1226, // MySQL ER_USER_LIMIT_REACHED
  1317, // MySQL ER_QUERY_INTERRUPTED
  1969, // MariaDB ER_STATEMENT_TIMEOUT
  3024, // MySQL ER_QUERY_TIMEOUT
]);

const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/**
 * SQLSTATE classes of what passes with time: connection, transaction state, rollback, resources, prerequisite state,
 * operator intervention, system error.
 */
const PASSING_CLASS = /^(08|25|40|53|55|57|58)/;

/** PostgreSQL insufficient_privilege. */
const PRIVILEGE_MISSING = '42501';

/** A server that restarts, or a killed session, is back within this; a longer outage is the caller's to know. */
const CONNECTION_REPEATS_MS = SECOND_MS;

const ATTEMPTS = 10;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

export function isTransient(error: unknown): boolean {
  return driverCodes(error).some((code) => TRANSIENT.has(code));
}

export function isUniqueViolation(error: unknown): boolean {
  return driverCodes(error).some((code) => UNIQUE_VIOLATION.has(code));
}

/** Whether the connection broke or could not be made; a commit that it took with it may have been made or not. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const { message } = (error ?? {}) as { message?: unknown };
  return (
    driverCodes(error).some(
      (code) => CONNECTION_LOST.has(code) || (typeof code === 'string' && CONNECTION_EXCEPTION.test(code)),
    ) ||
    (typeof message === 'string' && CONNECTION_LOST_MESSAGE.test(message))
  );
}

export function isSoonOver(error: unknown): boolean {
  return driverCodes(error).some((code) => SOON_OVER.has(code));
}

/** Whether PostgreSQL, or a relative of it, rejected the statement for a reason that time does not change. */
export function isRejectedForGood(error: unknown): boolean {
  return driverCodes(error).some(
    (code) => typeof code === 'string' && SQLSTATE.test(code) && !PASSING_CLASS.test(code),
  );
}

export function isPrivilegeMissing(error: unknown): boolean {
  return driverCodes(error).includes(PRIVILEGE_MISSING);
}

/** Runs `work` again, after a pause with jitter, while `mayRepeat` says so; a bounded number of times. */
export async function withRepeats<T>(
  work: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean = isTransient,
  attempts = ATTEMPTS,
): Promise<T> {
  let failingSinceMs: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      failingSinceMs ??= performance.now();
      const isTooLate = isConnectionLoss(error) && performance.now() - failingSinceMs > CONNECTION_REPEATS_MS;
      if (attempt === attempts || isTooLate || !mayRepeat(error)) throw error;
      await sleep(Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
    }
  }
}

/** Code and number of the driver's error, those that there are. */
export function driverCodes(error: unknown): (string | number)[] {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  // Not `instanceof Error`: a driver may have been loaded in another realm, as native ones are in a test runner.
  const { code, errno } = (cause ?? {}) as { code?: string; errno?: number };
  // SQLite's errno, and the system's, are small or negative numbers; none of them is in the tables.
  return [code, errno].filter((value) => value !== undefined);
}
