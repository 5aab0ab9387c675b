import { SECOND_MS } from '../domain/duration.js';

export interface ReadingTimes {
  /** However often it is asked, one reading is begun in this time; one that takes longer has failed so far. */
  readonly everyMs: number;
  /** How long readings must have failed before nobody counts on the next. */
  readonly unreachableAfterMs: number;
}

const DEFAULTS: ReadingTimes = { everyMs: 5 * SECOND_MS, unreachableAfterMs: 15 * SECOND_MS };
/** Readings that hang, as in a connection that swallows everything, are not added to for ever. */
const MOST_UNDER_WAY = 3;

const UNREACHABLE_AFTER_FAILURES = 3;

/**
 * Reads what health polls for, however often it is polled, and knows how long it has not been readable.
 * Times are monotonic.
 */
export class CachedReading<Reading> {
  private last: { readonly reading: Reading; readonly atMs: number } | null = null;
  private readonly underWaySince: number[] = [];
  private begunAtMs = Number.NEGATIVE_INFINITY;
  private newest: Promise<unknown> = Promise.resolve();
  private failures = 0;
  private failingSinceMs: number | null = null;

  constructor(
    private readonly read: () => Promise<Reading>,
    private readonly nowMs: () => number,
    private readonly times: ReadingTimes = DEFAULTS,
  ) {}

  /** Begins a reading when it is time for one. Settles with it, never rejects; whoever cannot wait need not. */
  async refresh(): Promise<void> {
    const nowMs = this.nowMs();
    const isDue = nowMs - this.begunAtMs >= this.times.everyMs && this.underWaySince.length < MOST_UNDER_WAY;
    if (isDue) this.newest = this.begin(nowMs);
    await this.newest;
  }

  /** The last reading that came, unless it is older than `atMostMs`. */
  notOlderThan(atMostMs: number): Reading | null {
    return this.last !== null && this.nowMs() - this.last.atMs <= atMostMs ? this.last.reading : null;
  }

  /** One failure, and one moment, are no reason to take a process out of service. */
  get isUnreachable(): boolean {
    const nowMs = this.nowMs();
    const overdue = this.underWaySince.filter((sinceMs) => nowMs - sinceMs >= this.times.everyMs);
    const [firstOverdueMs = Number.POSITIVE_INFINITY] = overdue;
    const sinceMs = Math.min(this.failingSinceMs ?? Number.POSITIVE_INFINITY, firstOverdueMs);
    return (
      this.failures + overdue.length >= UNREACHABLE_AFTER_FAILURES &&
      nowMs - sinceMs >= this.times.unreachableAfterMs
    );
  }

  private async begin(nowMs: number): Promise<void> {
    this.begunAtMs = nowMs;
    this.underWaySince.push(nowMs);
    try {
      const reading = await this.read();
      this.last = { reading, atMs: this.nowMs() };
      this.failures = 0;
      this.failingSinceMs = null;
    } catch {
      this.failures += 1;
      this.failingSinceMs ??= nowMs;
    } finally {
      this.underWaySince.splice(this.underWaySince.indexOf(nowMs), 1);
    }
  }
}
