import type { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { SlidingCount } from './sliding-count.js';

/** A claim waits for its turn with its lease running: no more is claimed than this long a time can spend. */
export const CLAIM_AHEAD_MS = 2 * SECOND_MS;
/** What a process holds when it dies waits for its leases, so there is an end to it, however fast it goes. */
const MOST_TIMES_AHEAD = 2;

/**
 * The claims that a sweep holds: as many as it spends at once, and those that wait, or the wire would stand idle while
 * the database claims. The faster it goes, the more wait, so that they are claimed by the batch; under a cap, whose
 * turns would go by, none do.
 */
export class SweepWindow {
  private readonly renewed = new SlidingCount(CLAIM_AHEAD_MS);
  private readonly held = new Set<Promise<void>>();
  private onEnded: () => void = () => undefined;

  constructor(
    private readonly atOnce: number,
    private readonly isCapped: boolean,
    private readonly clock: Clock,
  ) {}

  /** How many more may be claimed; one at least, or a sweep that slows down would take itself to be done. */
  get room(): number {
    return Math.max(1, this.atOnce + this.ahead - this.held.size);
  }

  /** @param renewal - never rejects */
  hold(renewal: Promise<unknown>): void {
    const held = renewal.then(() => {
      this.renewed.add(this.clock.monotonicMs());
      this.held.delete(held);
      this.onEnded();
    });
    this.held.add(held);
  }

  /** Resolves when there is room for half of those that wait, so that claims come in batches. */
  async untilRoom(): Promise<void> {
    while (this.held.size > this.few) {
      await new Promise<void>((resolve) => {
        this.onEnded = resolve;
      });
    }
  }

  async untilEmpty(): Promise<void> {
    await Promise.all(this.held);
  }

  private get few(): number {
    return this.isCapped ? this.atOnce / 2 : this.atOnce + this.ahead / 2;
  }

  private get ahead(): number {
    if (this.isCapped) return 0;
    const spendable = this.renewed.total(this.clock.monotonicMs());
    return Math.min(Math.max(this.atOnce, spendable), MOST_TIMES_AHEAD * this.atOnce);
  }
}
