import type { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { waitAtMost } from './bounded-wait.js';

/** A scrape that hangs is no scrape. */
const WAIT_AT_MOST_MS = SECOND_MS;
/** What is this many times older than it should be is not known any more. */
const KEPT_TIMES = 3;

/** Reads the database for metrics once in a while, however often it is asked. */
export class KeptReading<Reading> {
  private last: { readonly reading: Reading; readonly atMs: number } | null = null;
  private underWay: Promise<void> | null = null;

  constructor(
    private readonly readDatabase: () => Promise<Reading>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly everyMs: number,
  ) {}

  /** `null` while it cannot be known. */
  async read(): Promise<Reading | null> {
    if (this.ageMs >= this.everyMs) {
      this.underWay ??= this.readAnew().finally(() => {
        this.underWay = null;
      });
      await waitAtMost(this.underWay, { timeoutMs: WAIT_AT_MOST_MS });
    }
    return this.ageMs < KEPT_TIMES * this.everyMs ? (this.last?.reading ?? null) : null;
  }

  private get ageMs(): number {
    return this.last === null ? Number.POSITIVE_INFINITY : this.clock.monotonicMs() - this.last.atMs;
  }

  private async readAnew(): Promise<void> {
    try {
      const reading = await this.readDatabase();
      this.last = { reading, atMs: this.clock.monotonicMs() };
    } catch {
      // The database does not answer: asked again by the next scrape.
    }
  }
}
