import type { RefreshOutcome } from '../domain/refresh-outcome.js';

/** What one sweep did, or has done so far. */
export interface SweepReport {
  /** Authorizations that were due, or had an unresolved attempt, and that this process took up. */
  readonly due: number;
  readonly renewed: number;
  /** Left alone; {@link SweepReport.skippedBecause} says why. */
  readonly skipped: number;
  readonly skippedBecause: {
    /** Another process had renewed it. */
    readonly renewedElsewhere: number;
    /** Another process was just renewing it. */
    readonly beingRenewed: number;
  };
  /** Dead: only the person can help now. */
  readonly needsReconnect: number;
  /** May have reached Notion; resolved by a later sweep before the token is used again. */
  readonly unknown: number;
  /** Not renewed this time, and tried again by a later sweep; {@link SweepReport.failedBecause} says why. */
  readonly failed: number;
  readonly failedBecause: {
    /** A breaker or an earlier failure holds it back. */
    readonly heldBack: number;
    /** Notion was not reached. */
    readonly notSent: number;
    /** Notion was too busy, or answered nothing about it. */
    readonly notProcessed: number;
    /** Notion refuses the client itself. */
    readonly configuration: number;
    /** Nobody planned it; the log names it. */
    readonly surprise: number;
  };
  readonly tookMs: number;
  /** Nothing was refreshed: `due` is what would have been. */
  readonly dryRun: boolean;
  /** False while the sweep goes on. */
  readonly done: boolean;
}

type Kind = RefreshOutcome['kind'] | 'surprise';

/** What becomes of the metric, with the same sums as the report. */
export type SweptAs = 'renewed' | 'skipped' | 'needs_reconnect' | 'unknown' | 'failed';

const SWEPT_AS: Readonly<Record<Kind, SweptAs>> = {
  renewed: 'renewed',
  followed: 'skipped',
  busy: 'skipped',
  needs_reconnect: 'needs_reconnect',
  revoked: 'needs_reconnect',
  unknown: 'unknown',
  postponed: 'failed',
  not_sent: 'failed',
  not_processed: 'failed',
  configuration: 'failed',
  surprise: 'failed',
};

export class SweepTally {
  private readonly counts = new Map<Kind, number>();

  constructor(private readonly elapsedMs: () => number) {}

  /** @returns how it counts. */
  count(outcome: RefreshOutcome | 'surprise'): SweptAs {
    const kind = outcome === 'surprise' ? outcome : outcome.kind;
    this.counts.set(kind, this.of(kind) + 1);
    return SWEPT_AS[kind];
  }

  report(done: boolean): SweepReport {
    return {
      due: [...this.counts.values()].reduce((sum, count) => sum + count, 0),
      renewed: this.sumOf('renewed'),
      skipped: this.sumOf('skipped'),
      skippedBecause: { renewedElsewhere: this.of('followed'), beingRenewed: this.of('busy') },
      needsReconnect: this.sumOf('needs_reconnect'),
      unknown: this.sumOf('unknown'),
      failed: this.sumOf('failed'),
      failedBecause: {
        heldBack: this.of('postponed'),
        notSent: this.of('not_sent'),
        notProcessed: this.of('not_processed'),
        configuration: this.of('configuration'),
        surprise: this.of('surprise'),
      },
      tookMs: this.elapsedMs(),
      dryRun: false,
      done,
    };
  }

  private of(kind: Kind): number {
    return this.counts.get(kind) ?? 0;
  }

  private sumOf(swept: SweptAs): number {
    return [...this.counts].reduce((sum, [kind, count]) => (SWEPT_AS[kind] === swept ? sum + count : sum), 0);
  }
}
