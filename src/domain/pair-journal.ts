import type { AuthorizationId } from './authorization.js';
import type { RetainedChange } from './retained-change.js';

/** Identifies one record until it is known to be stored in the database. */
export type JournalReceipt = symbol;

/** A change as it was found in the journal. */
export interface JournaledChange {
  readonly retained: RetainedChange;
  readonly receipt: JournalReceipt;
}

/**
 * The first durable place of a new pair: on this machine, before the database has it. It turns the loss of a process
 * between Notion's answer and the commit into a replay.
 */
export abstract class PairJournal {
  /**
   * Before a request whose answer will be recorded: whatever {@link PairJournal.record} may need besides the write
   * itself is made now, and not while the pair exists in memory alone. Never fatal.
   */
  abstract prepare(): void;

  /**
   * On disk when it returns; synchronous, so that nothing can come between the answer and its first durable byte.
   * `null` where the journal is off, full or cannot be written: never fatal, the database is written next anyway.
   */
  abstract record(retained: RetainedChange): JournalReceipt | null;

  /** The database has it. The record stays for the retention time, in case the database loses its last commits. */
  abstract confirm(receipt: JournalReceipt): void;

  /**
   * The next records that earlier processes left and that are not confirmed, in order of writing: some hundreds at
   * most, none at the end of a pass. The call after that begins the next pass, with the same receipts for what is
   * still not confirmed. Never fatal: what is damaged or cannot be read keeps nothing else from being replayed.
   */
  abstract replay(): readonly JournaledChange[];

  /** Whether the last pass left out something that the next pass may be able to read. */
  get hasUnreadFiles(): boolean {
    return false;
  }

  /**
   * Overwrites every record of an authorization, also those of other processes: after a disconnect none of its tokens
   * may be left.
   */
  abstract erase(authorizationId: AuthorizationId): void;

  /** Removes what is confirmed and older than the retention time. */
  abstract clean(): void;

  /** Records on disk, for metrics. */
  abstract readonly size: number;
}

/** For applications that give no folder: a pair is then durable when the database has it. */
export class NoPairJournal extends PairJournal {
  override readonly size = 0;

  override prepare(): void {
    // Nothing will be recorded.
  }

  override record(): null {
    return null;
  }

  override confirm(): void {
    // Nothing was recorded.
  }

  override replay(): readonly [] {
    return [];
  }

  override erase(): void {
    // Nothing was recorded.
  }

  override clean(): void {
    // Nothing was recorded.
  }
}
