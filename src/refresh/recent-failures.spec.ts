import { describe, expect, it } from '@jest/globals';
import { Clock } from '../domain/clock.js';
import { DAY_MS, MINUTE_MS } from '../domain/duration.js';
import { bucketAt, TIME_GRIDS } from '../domain/time-grid.js';
import { RecentFailures } from './recent-failures.js';

class StoodClock extends Clock {
  nowMs = Date.UTC(2026, 0, 1, 12, 0, 30);

  override now(): Date {
    return new Date(this.nowMs);
  }
  override monotonicMs(): number {
    return this.nowMs;
  }
  override sleep(): Promise<void> {
    return Promise.resolve();
  }
}

describe('RecentFailures', () => {
  it('counts by stage, code and time, in each grid', () => {
    const clock = new StoodClock();
    const recent = new RecentFailures(clock);
    recent.note('api', 'rate_limited');
    recent.note('api', 'rate_limited');
    clock.nowMs += MINUTE_MS;
    recent.note('api', 'rate_limited');
    recent.note('exchange', 'invalid_grant');
    const minute = bucketAt(TIME_GRIDS['15m'], clock.now());
    expect(recent.list('15m')).toEqual([
      { stage: 'api', code: 'rate_limited', bucket: minute - 1, total: 2 },
      { stage: 'api', code: 'rate_limited', bucket: minute, total: 1 },
      { stage: 'exchange', code: 'invalid_grant', bucket: minute, total: 1 },
    ]);
    expect(recent.list('24h').map(({ total }) => total)).toEqual([3, 1]);
  });

  it('keeps nothing that nobody knows, such as what a server wrote in the place of a code', () => {
    const recent = new RecentFailures(new StoodClock());
    for (const code of ['ntn_something', 'constructor', '', undefined]) recent.note('webhook', code);
    expect(recent.list('7d')).toEqual([expect.objectContaining({ code: 'other', total: 4 })]);
  });

  it('does not grow, however long it counts', () => {
    const clock = new StoodClock();
    const recent = new RecentFailures(clock);
    for (let quarter = 0; quarter < 30 * 96; quarter += 1) {
      recent.note('api', 'unauthorized');
      clock.nowMs += 15 * MINUTE_MS;
    }
    expect(recent.list('15m').length).toBeLessThanOrEqual(15);
    expect(recent.list('24h').length).toBeLessThanOrEqual(48);
    expect(recent.list('7d').length).toBeLessThanOrEqual(42);
    clock.nowMs += 30 * DAY_MS;
    recent.note('api', 'unauthorized');
    expect(recent.list('7d')).toHaveLength(1);
  });
});
