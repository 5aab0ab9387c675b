/**
 * Notices that the database is no longer the server it was: restarted, or a standby promoted in its place, which may
 * have lost the last commits.
 */
export abstract class DatabaseWatch {
  /**
   * Names the server that answers now; another name means another server, or the same one restarted. `null` where
   * there is no server (SQLite): a file does not go back in time.
   */
  abstract incarnation(): Promise<string | null>;

  /** Tells when a connection broke or a new one was made: the moment to compare incarnations. */
  abstract onConnectionChange(listener: () => void): void;
}
