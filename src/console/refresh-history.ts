import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AttemptHistory, type AttemptTally } from '../domain/attempt-history.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { bucketsUntil, TIME_GRIDS, type TimeSpan } from '../domain/time-grid.js';

/** A bucket that is over may still get an attempt whose commit is under way, or whose process has another clock. */
const SETTLED_AFTER_MS = MINUTE_MS;
const KEEP_SETTLED_MS = 10 * MINUTE_MS;
const KEEP_CURRENT_MS = 5 * SECOND_MS;
/** A statement that was quicker may count more buckets the next time, one that was slower counts fewer. */
const QUICK_MS = 15;
const SLOW_MS = 60;
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
 * How refreshing went, over all processes. Counts the newest buckets first, and as many at once as a short statement can:
 * all of them where little happens, one after the other where there are a million attempts. What is over is counted
 * once and kept for a while; whoever asks meanwhile gets what is there.
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
    const kept = this.keptOf(span);
    for (const old of kept.keys()) if (old < (numbers[0] ?? 0)) kept.delete(old);
    const stale = numbers.filter((number) => !this.isFresh(kept.get(number)));
    let atOnce = 1;
    while (stale.length > 0 && !this.hasEnded) {
      const begunAtMs = this.clock.monotonicMs();
      await this.countSome(span, newestRun(stale, atOnce));
      const tookMs = this.clock.monotonicMs() - begunAtMs;
      if (tookMs < QUICK_MS) atOnce *= 4;
      else if (tookMs > SLOW_MS) atOnce = Math.max(1, Math.floor(atOnce / 2));
    }
  }

  /** @param run - Neighbours, newest first. */
  private async countSome(span: TimeSpan, run: readonly number[]): Promise<void> {
    const { bucketMs: widthMs } = TIME_GRIDS[span];
    const endOf = (number: number) => (number + 1) * widthMs;
    const [newest = 0, oldest = newest] = [run[0], run.at(-1)];
    const nowMs = this.clock.now().getTime();
    const from = new Date(oldest * widthMs);
    const all = await this.history.tally({ from, to: new Date(endOf(newest)), widthMs });
    for (const number of run) {
      this.keptOf(span).set(number, {
        tallies: all.filter(({ bucketMs }) => bucketMs === number * widthMs),
        countedAtMs: this.clock.monotonicMs(),
        isSettled: nowMs - endOf(number) >= SETTLED_AFTER_MS,
      });
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

/** Takes neighbours from the end of `numbers`, at most so many; newest first. */
function newestRun(numbers: number[], most: number): readonly number[] {
  const run: number[] = [];
  for (let next = numbers.at(-1); next !== undefined; next = numbers.at(-1)) {
    const previous = run.at(-1);
    if (run.length >= most || (previous !== undefined && next !== previous - 1)) break;
    run.push(next);
    numbers.pop();
  }
  return run;
}
