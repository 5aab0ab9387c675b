import { setTimeout as sleep } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';

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

const ATTEMPTS = 10;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

export function isTransient(error: unknown): boolean {
  return driverCodes(error).some((code) => TRANSIENT.has(code));
}

export function isUniqueViolation(error: unknown): boolean {
  return driverCodes(error).some((code) => UNIQUE_VIOLATION.has(code));
}

/** Runs `work` again, after a pause with jitter, while `mayRepeat` says so; a bounded number of times. */
export async function withRepeats<T>(
  work: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean = isTransient,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !mayRepeat(error)) throw error;
      await sleep(Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
    }
  }
}

function driverCodes(error: unknown): (string | number)[] {
  if (!(error instanceof QueryFailedError)) return [];
  const { code, errno } = error.driverError as { code?: string; errno?: number };
  // SQLite's errno are small numbers of their own; none of them is in the tables.
  return [code, errno].filter((value) => value !== undefined);
}
