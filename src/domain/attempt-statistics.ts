import type { AttemptOutcome } from './refresh-outcome.js';

/** How many attempts ended in each way within a window, over all processes. */
export type OutcomeCounts = Readonly<Record<AttemptOutcome, number>>;

/** What health reads of the attempt journal. */
export abstract class AttemptStatistics {
  /** Attempts that ended within the last `windowMs`, by the database's clock. */
  abstract countOutcomes(windowMs: number): Promise<OutcomeCounts>;

  /** Deletes attempts older than `olderThanMs`; answers how many. */
  abstract prune(olderThanMs: number): Promise<number>;
}
