/**
 * Notices that the database is no longer the server it was: a standby promoted in its place, or a backup restored,
 * may have lost the last commits. A restart of the same server has not.
 */
export abstract class DatabaseWatch {
  /**
   * Compares the server that answers now with the one that the data itself names as its last, and closes the
   * `failover` gate for `holdMs` when they differ (guard `holdClaimsAfterMassLoss`), for every process and also for
   * those that start later. Where detection cannot work, logs once why.
   *
   * @returns a name of the server's timeline. Another name than before means that commits may be lost. A role that may
   * not read the name gets the one that another process noted. `null` where no name can be known: SQLite, a file that
   * does not go back in time, and servers on which detection cannot work.
   * @throws the driver's error, or another, when the name is not known now: no connection, a timeout, a cancelled
   * query, a standby. Nothing is noted, and no gate is closed.
   */
  abstract compare(holdMs: number): Promise<string | null>;

  /** Tells when a connection broke or a new one was made: the moment to compare. */
  abstract onConnectionChange(listener: () => void): void;
}
