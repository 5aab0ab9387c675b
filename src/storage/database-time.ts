import { DAY_MS } from '../domain/duration.js';
import type { Dialect } from './dialect.js';

const LONGEST_MS = 36_500 * DAY_MS;

/** SQL expression: `durationMs` after the database's now; negative for before. */
export function fromNow({ now }: Dialect, durationMs: number): string {
  return `${now} + (${String(wholeMs(durationMs))})`;
}

/** A number from outside must not make a statement fail that stores a token: it is kept within a century. */
function wholeMs(durationMs: number): number {
  if (Number.isNaN(durationMs)) throw new TypeError('A duration is a number of milliseconds.');
  return Math.round(Math.min(Math.max(durationMs, -LONGEST_MS), LONGEST_MS));
}
