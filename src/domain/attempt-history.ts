import type { AttemptOutcome } from './refresh-outcome.js';

/**
 * Upper bounds of the classes that durations are counted in, in milliseconds; what takes longer is in a class of its
 * own. Counts in classes can be added up and mean the same in every database; percentiles of theirs are good to the
 * width of a class.
 */
export const DURATION_CLASSES_MS: readonly number[] = [
  10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000,
  15_000, 20_000, 30_000, 45_000, 60_000, 75_000,
];

/** Attempts that ended alike, in one bucket of time. */
export interface AttemptTally {
  /** When the bucket begins, in epoch milliseconds: a multiple of its width. */
  readonly bucketMs: number;
  readonly outcome: AttemptOutcome;
  /** As the journal has it: Notion's code or the socket's, or whatever a proxy said. */
  readonly code: string | null;
  /** Index into {@link DURATION_CLASSES_MS}, or its length for what took longer; `null` where nothing was measured. */
  readonly durationClass: number | null;
  readonly total: number;
}

/** Whole buckets of equal width. */
export interface TallyWindow {
  readonly from: Date;
  /** Not within it any more. */
  readonly to: Date;
  readonly widthMs: number;
}

/** What the attempt journal says of the past, over all processes. */
export abstract class AttemptHistory {
  /** Attempts that ended in it, by the database's clock. One statement; costs what happened in that time. */
  abstract tally(window: TallyWindow): Promise<readonly AttemptTally[]>;
}
