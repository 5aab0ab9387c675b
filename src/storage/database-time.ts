import { DAY_MS } from '../domain/duration.js';
import type { Dialect } from './dialect.js';

const LONGEST_MS = 36_500 * DAY_MS;

/** SQL expression: `durationMs` after the database's now; negative for before. */
export function fromNow({ now }: Pick<Dialect, 'now'>, durationMs: number): string {
  return `${now} + (${String(wholeMs(durationMs))})`;
}

/** As {@link fromNow}, from when the statement began: where a range of an index begins or ends. */
export function boundFromNow({ statementNow }: Dialect, durationMs: number): string {
  return fromNow({ now: statementNow }, durationMs);
}

/** As {@link fromNow}, for a duration that an SQL expression tells; `NULL` stays `NULL`. */
export function laterBy({ now }: Dialect, durationSql: string): string {
  return `${now} + ${durationSql}`;
}

/** A number from outside must not make a statement fail that stores a token: it is kept within a century. */
export function wholeMs(durationMs: number): number {
  if (Number.isNaN(durationMs)) throw new TypeError('A duration is a number of milliseconds.');
  return Math.round(Math.min(Math.max(durationMs, -LONGEST_MS), LONGEST_MS));
}
