import { Injectable } from '@nestjs/common';
import type { AttemptCount } from '../domain/fleet-readings.js';
import { OwnAttempts } from './own-attempts.js';
import { PairCustody } from './pair.custody.js';
import { RefreshShutdown } from './refresh.shutdown.js';

/** What health knows of this process alone. None of it asks the database. */
@Injectable()
export class ReplicaHealth {
  constructor(
    private readonly custody: PairCustody,
    private readonly shutdown: RefreshShutdown,
    private readonly ownAttempts: OwnAttempts,
  ) {}

  /** The process was told to end, and begins nothing any more. */
  get isDraining(): boolean {
    return this.shutdown.hasBegun;
  }

  /** Pairs that Notion has answered and the database does not have yet. */
  get pendingPairs(): number {
    return this.custody.pendingCount;
  }

  /** 0 without one. */
  get oldestPendingPairMs(): number {
    return this.custody.oldestPendingAgeMs;
  }

  /** Ended here, of the last quarter of an hour. */
  get attempts(): readonly AttemptCount[] {
    return this.ownAttempts.list();
  }
}
