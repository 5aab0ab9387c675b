import { describe, expect, it } from '@jest/globals';
import { AttemptHistory, type AttemptTally, type TallyWindow } from '../domain/attempt-history.js';
import { Clock } from '../domain/clock.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { RefreshHistory } from './refresh-history.js';

/** Time goes on only where somebody waits or works. */
class SteppedClock extends Clock {
  nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);
  /** Waits that are over when the test says so. */
  private readonly waits: (() => void)[] = [];

  override now(): Date {
    return new Date(this.nowMs);
  }
  override monotonicMs(): number {
    return this.nowMs;
  }
  override sleep(): Promise<void> {
    return new Promise((resolve) => this.waits.push(resolve));
  }
  endWaits(): void {
    for (const end of this.waits.splice(0)) end();
  }
}

class Journal extends AttemptHistory {
  readonly asked: number[] = [];
  tookMs = 1;
  isDown = false;
  isStuck = false;

  constructor(private readonly clock: SteppedClock) {
    super();
  }

  override async tally({ from, to, widthMs }: TallyWindow): Promise<readonly AttemptTally[]> {
    this.asked.push((to.getTime() - from.getTime()) / widthMs);
    this.clock.nowMs += this.tookMs;
    if (this.isStuck) await new Promise(() => undefined);
    if (this.isDown) throw new Error('gone');
    const tallies: AttemptTally[] = [];
    for (let bucketMs = from.getTime(); bucketMs < to.getTime(); bucketMs += widthMs) {
      tallies.push({ bucketMs, outcome: 'success', code: null, durationClass: 3, total: 1 });
    }
    return Promise.resolve(tallies);
  }
}

function history() {
  const clock = new SteppedClock();
  const journal = new Journal(clock);
  return { clock, journal, history: new RefreshHistory(journal, clock) };
}

describe('RefreshHistory', () => {
  it('counts all buckets in a few statements where they are quick, each bucket its own attempts', async () => {
    const { journal, history: refreshes } = history();
    const buckets = await refreshes.over('24h');
    expect(buckets).toHaveLength(48);
    expect(buckets.every(({ from, tallies }) => tallies?.[0]?.bucketMs === from.getTime())).toBe(true);
    expect(journal.asked).toEqual([1, 4, 16, 27]);
  });

  it('counts them one after the other where they are slow', async () => {
    const { journal, history: refreshes } = history();
    journal.tookMs = 200;
    await refreshes.over('15m');
    expect(journal.asked).toEqual(new Array(15).fill(1));
  });

  it('counts what is over once, and what is under way again after five seconds', async () => {
    const { clock, journal, history: refreshes } = history();
    clock.nowMs += 3 * MINUTE_MS;
    await refreshes.over('24h');
    const begun = journal.asked.length;
    await refreshes.over('24h');
    expect(journal.asked.length).toBe(begun);
    clock.nowMs += 5 * SECOND_MS;
    await refreshes.over('24h');
    expect(journal.asked.slice(begun)).toEqual([1]);
  });

  it('counts anew what it has kept for ten minutes: an attempt may have ended otherwise after all', async () => {
    const { clock, journal, history: refreshes } = history();
    await refreshes.over('7d');
    journal.asked.length = 0;
    clock.nowMs += HOUR_MS;
    await refreshes.over('7d');
    expect(journal.asked.reduce((sum, buckets) => sum + buckets)).toBe(42);
  });

  it('shows what is there when counting takes long, and does not begin it twice', async () => {
    const { clock, journal, history: refreshes } = history();
    journal.isStuck = true;
    const looks = [refreshes.over('24h'), refreshes.over('24h')];
    await Promise.resolve();
    clock.endWaits();
    for (const buckets of await Promise.all(looks)) {
      expect(buckets.every(({ tallies }) => tallies === null)).toBe(true);
    }
    expect(journal.asked).toEqual([1]);
  });

  it('lets a database alone that does not answer, for five seconds', async () => {
    const { clock, journal, history: refreshes } = history();
    journal.isDown = true;
    await refreshes.over('24h');
    await refreshes.over('15m');
    expect(journal.asked).toHaveLength(1);
    journal.isDown = false;
    clock.nowMs += 5 * SECOND_MS;
    expect((await refreshes.over('15m')).every(({ tallies }) => tallies !== null)).toBe(true);
  });

  it('counts nothing more once the application ends', async () => {
    const { journal, history: refreshes } = history();
    refreshes.onModuleDestroy();
    await refreshes.over('24h');
    expect(journal.asked).toEqual([]);
  });
});
