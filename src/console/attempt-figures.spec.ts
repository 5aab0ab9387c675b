import { describe, expect, it } from '@jest/globals';
import { DURATION_CLASSES_MS, type AttemptTally } from '../domain/attempt-history.js';
import { ATTEMPT_OUTCOMES } from '../domain/refresh-outcome.js';
import { percentile, rateOf, verdictsOf } from './attempt-figures.js';

function tally(changes: Partial<AttemptTally>): AttemptTally {
  return { bucketMs: 0, outcome: 'success', code: null, durationClass: null, total: 1, ...changes };
}

describe('percentile', () => {
  it('is not known where nothing was measured', () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([tally({ durationClass: null, total: 9 })], 0.5)).toBeNull();
  });

  it('lies in the class of the attempt that it is about', () => {
    const tallies = [tally({ durationClass: 5, total: 94 }), tally({ durationClass: 12, total: 6 })];
    expect(percentile(tallies, 0.5)).toBeGreaterThan(DURATION_CLASSES_MS[4]!);
    expect(percentile(tallies, 0.5)).toBeLessThanOrEqual(DURATION_CLASSES_MS[5]!);
    expect(percentile(tallies, 0.95)).toBeGreaterThan(DURATION_CLASSES_MS[11]!);
    expect(percentile(tallies, 0.95)).toBeLessThanOrEqual(DURATION_CLASSES_MS[12]!);
  });

  it('says the longest bound of what took longer than any', () => {
    const longest = [tally({ durationClass: DURATION_CLASSES_MS.length, total: 3 })];
    expect(percentile(longest, 0.95)).toBe(75_000);
  });
});

describe('the verdicts', () => {
  it('leave out whom people revoked, what Notion limited and what was never sent', () => {
    const all = verdictsOf(ATTEMPT_OUTCOMES.map((outcome) => tally({ outcome, total: 2 })));
    expect(all).toEqual({ succeeded: 2, failed: 6, neither: 6 });
    expect(rateOf(all)).toBe(0.25);
    expect(rateOf({ succeeded: 0, failed: 0, neither: 5 })).toBeNull();
  });
});
