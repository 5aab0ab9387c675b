/**
 * Notices that the database is no longer the server it was: a standby promoted in its place, or a backup restored,
 * may have lost the last commits. A restart of the same server has not.
 */
export abstract class DatabaseWatch {
  /**
   * Compares the server that answers now with the one that the data itself names as its last, and closes the
   * `failover` gate for `holdMs` when they differ (guard `holdClaimsAfterMassLoss`), for every process and also for
   * those that start later.
   *
   * @returns a name of the server's timeline. Another name than before means that commits may be lost. `null` where
   * there is no server (SQLite): a file does not go back in time.
   */
  abstract compare(holdMs: number): Promise<string | null>;

  /** Tells when a connection broke or a new one was made: the moment to compare. */
  abstract onConnectionChange(listener: () => void): void;
}
