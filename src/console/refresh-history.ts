import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AttemptHistory, type AttemptTally } from '../domain/attempt-history.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { bucketsUntil, TIME_GRIDS, type TimeSpan } from '../domain/time-grid.js';

/** A bucket that is over may still get an attempt whose commit is under way, or whose process has another clock. */
const SETTLED_AFTER_MS = MINUTE_MS;
const KEEP_SETTLED_MS = 10 * MINUTE_MS;
const KEEP_CURRENT_MS = 5 * SECOND_MS;
const TRY_AGAIN_AFTER_MS = 5 * SECOND_MS;
/** A page does not wait for the counting of a million attempts. */
const WAIT_AT_MOST_MS = 120;

export interface HistoryBucket {
  readonly from: Date;
  readonly to: Date;
  /** `null` while it has not been counted. */
  readonly tallies: readonly AttemptTally[] | null;
}

interface Kept {
  readonly tallies: readonly AttemptTally[];
  readonly countedAtMs: number;
  readonly isSettled: boolean;
}

/**
 * How refreshing went, over all processes. Counts one bucket after the other, the newest first, each by a statement of
 * its own: no statement is long, also where there are a million attempts. What is over is counted once and kept for a
 * while; whoever asks meanwhile gets what is there.
 */
@Injectable()
export class RefreshHistory implements OnModuleDestroy {
  private readonly kept = new Map<TimeSpan, Map<number, Kept>>();
  private readonly counting = new Map<TimeSpan, Promise<void>>();
  private failedAtMs = Number.NEGATIVE_INFINITY;
  private hasEnded = false;

  constructor(
    private readonly history: AttemptHistory,
    private readonly clock: Clock,
  ) {}

  onModuleDestroy(): void {
    this.hasEnded = true;
  }

  /** Oldest first; the last bucket is under way. Never rejects. */
  async over(span: TimeSpan): Promise<readonly HistoryBucket[]> {
    const { bucketMs } = TIME_GRIDS[span];
    const numbers = bucketsUntil(TIME_GRIDS[span], this.clock.now());
    await Promise.race([this.count(span, numbers), this.clock.sleep(WAIT_AT_MOST_MS)]);
    const kept = this.kept.get(span);
    return numbers.map((number) => ({
      from: new Date(number * bucketMs),
      to: new Date((number + 1) * bucketMs),
      tallies: kept?.get(number)?.tallies ?? null,
    }));
  }

  /** One counting of a span at a time, however many look at it. */
  private count(span: TimeSpan, numbers: readonly number[]): Promise<void> {
    const underWay = this.counting.get(span);
    if (underWay !== undefined) return underWay;
    if (this.clock.monotonicMs() - this.failedAtMs < TRY_AGAIN_AFTER_MS) return Promise.resolve();
    const begun = this.countAll(span, numbers)
      .catch(() => {
        this.failedAtMs = this.clock.monotonicMs();
      })
      .finally(() => this.counting.delete(span));
    this.counting.set(span, begun);
    return begun;
  }

  private async countAll(span: TimeSpan, numbers: readonly number[]): Promise<void> {
    const { bucketMs } = TIME_GRIDS[span];
    const kept = this.keptOf(span);
    for (const old of kept.keys()) if (old < (numbers[0] ?? 0)) kept.delete(old);
    for (const number of [...numbers].reverse()) {
      if (this.hasEnded) return;
      if (this.isFresh(kept.get(number))) continue;
      const endsAtMs = (number + 1) * bucketMs;
      const isSettled = this.clock.now().getTime() - endsAtMs >= SETTLED_AFTER_MS;
      const tallies = await this.history.tally(new Date(number * bucketMs), new Date(endsAtMs));
      kept.set(number, { tallies, countedAtMs: this.clock.monotonicMs(), isSettled });
    }
  }

  private isFresh(kept: Kept | undefined): boolean {
    if (kept === undefined) return false;
    const ageMs = this.clock.monotonicMs() - kept.countedAtMs;
    return ageMs < (kept.isSettled ? KEEP_SETTLED_MS : KEEP_CURRENT_MS);
  }

  private keptOf(span: TimeSpan): Map<number, Kept> {
    const known = this.kept.get(span);
    if (known !== undefined) return known;
    const begun = new Map<number, Kept>();
    this.kept.set(span, begun);
    return begun;
  }
}
