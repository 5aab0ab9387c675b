import { DURATION_CLASSES_MS, type AttemptTally } from '../domain/attempt-history.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { COUNTED } from '../health/refresh-rate.js';

/**
 * As the refresh rate of health counts them. `neither` says nothing about us: people revoked, Notion limits, or nothing
 * was sent.
 */
export type AttemptVerdict = 'succeeded' | 'failed' | 'neither';

export function verdictOn(outcome: AttemptOutcome): AttemptVerdict {
  if (!COUNTED.includes(outcome)) return 'neither';
  return outcome === 'success' ? 'succeeded' : 'failed';
}

export type VerdictCounts = Readonly<Record<AttemptVerdict, number>>;

export function verdictsOf(tallies: readonly AttemptTally[]): VerdictCounts {
  const counts = { succeeded: 0, failed: 0, neither: 0 };
  for (const { outcome, total } of tallies) counts[verdictOn(outcome)] += total;
  return counts;
}

/** Successes over attempts with a verdict; `null` without any. */
export function rateOf({ succeeded, failed }: VerdictCounts): number | null {
  return succeeded + failed === 0 ? null : succeeded / (succeeded + failed);
}

/**
 * The duration that a share of the attempts did not exceed, in milliseconds, as if those of a class were spread evenly
 * over it; `null` where nothing was measured.
 */
export function percentile(tallies: readonly AttemptTally[], share: number): number | null {
  const counts = new Array<number>(DURATION_CLASSES_MS.length + 1).fill(0);
  for (const { durationClass, total } of tallies) {
    if (durationClass !== null) counts[durationClass] = (counts[durationClass] ?? 0) + total;
  }
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = share * all;
  for (const [index, count] of counts.entries()) {
    const from = DURATION_CLASSES_MS[index - 1] ?? 0;
    const to = DURATION_CLASSES_MS[index] ?? from;
    if (count > 0 && left <= count) return from + (to - from) * (left / count);
    left -= count;
  }
  return DURATION_CLASSES_MS.at(-1) ?? null;
}
