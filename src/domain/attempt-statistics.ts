/** Keeps the attempt journal from growing for ever. */
export abstract class AttemptStatistics {
  /** Deletes attempts older than `olderThanMs`; answers how many. */
  abstract prune(olderThanMs: number): Promise<number>;
}
