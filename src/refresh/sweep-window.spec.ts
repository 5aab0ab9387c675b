import { describe, expect, it } from '@jest/globals';
import { Clock } from '../domain/clock.js';
import { SweepWindow } from './sweep-window.js';

class HandClock extends Clock {
  ms = 1_000_000;
  now(): Date {
    return new Date(this.ms);
  }
  monotonicMs(): number {
    return this.ms;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

/** Claims as many as there is room for; answers how each of them ends. */
function fill(window: SweepWindow): (() => void)[] {
  return Array.from({ length: window.room }, () => {
    let end!: () => void;
    window.hold(new Promise<void>((resolve) => (end = resolve)));
    return end;
  });
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

describe('the claims that a sweep holds', () => {
  it('are as many again as it spends at once, before anything is known of its pace', () => {
    const window = new SweepWindow(8, false, new HandClock());
    expect(fill(window)).toHaveLength(16);
  });

  it('are no more than it spends at once, under a cap', () => {
    const window = new SweepWindow(8, true, new HandClock());
    expect(fill(window)).toHaveLength(8);
  });

  it('are more the faster it goes, and never beyond three times what it spends at once', async () => {
    const window = new SweepWindow(8, false, new HandClock());
    for (let round = 0; round < 5; round += 1) {
      for (const end of fill(window)) end();
      await window.untilEmpty();
    }
    expect(window.room).toBe(24);
  });

  it('are fewer again when nothing was renewed for a while', async () => {
    const clock = new HandClock();
    const window = new SweepWindow(8, false, clock);
    for (const end of [...fill(window), ...fill(window)]) end();
    await window.untilEmpty();
    expect(window.room).toBeGreaterThan(16);
    clock.ms += 2_500;
    expect(window.room).toBe(16);
  });

  it('leave room for one at the least: a sweep that slows down is not done', async () => {
    const clock = new HandClock();
    const window = new SweepWindow(8, false, clock);
    for (const end of fill(window)) end();
    await window.untilEmpty();
    fill(window);
    clock.ms += 2_500;
    expect(window.room).toBe(1);
  });

  it('are waited for until half of those that go ahead are gone', async () => {
    const window = new SweepWindow(8, false, new HandClock());
    const ends = fill(window);
    let hasRoom = false;
    void window.untilRoom().then(() => (hasRoom = true));
    for (const end of ends.splice(0, 3)) end();
    await turnOfLoop();
    expect(hasRoom).toBe(false);
    ends.pop()!();
    await turnOfLoop();
    expect(hasRoom).toBe(true);
  });
});
