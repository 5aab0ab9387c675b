/** Keeps the attempt journal from growing for ever. */
export abstract class AttemptStatistics {
  /**
   * Deletes a batch of the attempts that began more than `olderThanMs` ago.
   * @returns whether more of them may be left
   */
  abstract prune(olderThanMs: number): Promise<boolean>;
}
