import type { RefreshOutcome } from '../domain/refresh-outcome.js';

/** What one sweep did, or has done so far. */
export interface SweepReport {
  /** Authorizations that were due, or had an unresolved attempt, and that this process took up. */
  readonly due: number;
  readonly renewed: number;
  /** Left alone because another process had renewed them or was just renewing them. */
  readonly skipped: number;
  /** Only the person can help now. */
  readonly needsReconnect: number;
  /** May have reached Notion; resolved by a later sweep before the token is used again. */
  readonly unknown: number;
  /** Not renewed this time; tried again by a later sweep. */
  readonly failed: number;
  readonly tookMs: number;
  /** False while the sweep goes on. */
  readonly done: boolean;
}

type Counted = 'renewed' | 'skipped' | 'needsReconnect' | 'unknown' | 'failed';

export class SweepTally {
  private readonly counts: Record<Counted, number> = {
    renewed: 0,
    skipped: 0,
    needsReconnect: 0,
    unknown: 0,
    failed: 0,
  };

  constructor(private readonly elapsedMs: () => number) {}

  count(outcome: RefreshOutcome | 'surprise'): void {
    this.counts[outcome === 'surprise' ? 'failed' : COUNTED_AS[outcome.kind]] += 1;
  }

  report(done: boolean): SweepReport {
    const due = Object.values(this.counts).reduce((sum, count) => sum + count, 0);
    return { due, ...this.counts, tookMs: this.elapsedMs(), done };
  }
}

const COUNTED_AS: Readonly<Record<RefreshOutcome['kind'], Counted>> = {
  renewed: 'renewed',
  followed: 'skipped',
  busy: 'skipped',
  needs_reconnect: 'needsReconnect',
  revoked: 'needsReconnect',
  unknown: 'unknown',
  postponed: 'failed',
  not_sent: 'failed',
  not_processed: 'failed',
  configuration: 'failed',
};
