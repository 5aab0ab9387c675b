import { diagnose } from '../diagnosis/diagnose.js';
import type { Diagnosis } from '../diagnosis/diagnosis.js';
import { isKnownCode } from '../diagnosis/known-codes.js';
import type { FailureCount, UnjournaledStage } from '../refresh/recent-failures.js';
import type { HistoryBucket } from './refresh-history.js';

export type ErrorStage = 'refresh' | UnjournaledStage;

/** Errors of one code at one stage, by bucket. */
export interface ErrorRow {
  readonly stage: ErrorStage;
  /** One that `diagnose` knows, or `other`. */
  readonly code: string;
  readonly counts: readonly number[];
  readonly total: number;
  /** `null` for `other`. */
  readonly meaning: Diagnosis | null;
}

/** Of the attempts that did not succeed, over all processes. The most frequent first. */
export function refreshErrors(buckets: readonly HistoryBucket[]): readonly ErrorRow[] {
  const found = buckets.flatMap(({ tallies }, index) =>
    (tallies ?? [])
      .filter(({ outcome }) => outcome !== 'success')
      .map(({ code, total }) => ({ code: shownCode(code), index, total })),
  );
  return rowsOf('refresh', found, buckets.length);
}

/** Of this process. @param numbers - The buckets, oldest first. */
export function ownErrors(
  stage: UnjournaledStage,
  failures: readonly FailureCount[],
  numbers: readonly number[],
): readonly ErrorRow[] {
  const found = failures
    .filter((failure) => failure.stage === stage)
    .map(({ code, bucket, total }) => ({ code: shownCode(code), index: numbers.indexOf(bucket), total }))
    .filter(({ index }) => index >= 0);
  return rowsOf(stage, found, numbers.length);
}

interface Found {
  readonly code: string;
  readonly index: number;
  readonly total: number;
}

function rowsOf(stage: ErrorStage, found: readonly Found[], buckets: number): readonly ErrorRow[] {
  const codes = [...new Set(found.map(({ code }) => code))];
  return codes
    .map((code) => {
      const counts = new Array<number>(buckets).fill(0);
      for (const each of found.filter((one) => one.code === code)) {
        counts[each.index] = (counts[each.index] ?? 0) + each.total;
      }
      return {
        stage,
        code,
        counts,
        total: counts.reduce((sum, one) => sum + one, 0),
        meaning: meaningOf(code, stage),
      };
    })
    .sort((one, other) => other.total - one.total);
}

/** What a proxy wrote may be anything, so only what is known is shown. */
export function shownCode(code: string | null): string {
  return code !== null && isKnownCode(code) ? code : 'other';
}

function meaningOf(code: string, stage: ErrorStage): Diagnosis | null {
  return code === 'other' ? null : diagnose({ code }, { stage });
}
