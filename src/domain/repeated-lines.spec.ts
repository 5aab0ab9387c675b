import { RepeatedLines } from './repeated-lines.js';

function lines(limits = { atMost: 20, perMs: 60_000, kinds: 3 }) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return { clock, lines: new RepeatedLines(clock, limits) };
}

describe('RepeatedLines', () => {
  it('J11: of 10,000 equal failures writes 20, and the next line after a while counts the others exactly', () => {
    const { clock, lines: all } = lines();
    const verdicts = Array.from({ length: 10_000 }, () => all.admit('refresh unknown'));
    expect(verdicts.filter(({ write }) => write)).toHaveLength(20);
    clock.nowMs = 60_000;
    expect(all.admit('refresh unknown')).toEqual({ write: true, suppressed: 9_980 });
    expect(all.admit('refresh unknown')).toEqual({ write: true, suppressed: 0 });
  });

  it('J11: loses none from the count, however long it goes on', () => {
    const { clock, lines: all } = lines({ atMost: 5, perMs: 1_000, kinds: 3 });
    let told = 0;
    for (let number = 0; number < 10_000; number += 1) {
      clock.nowMs += 1;
      const verdict = all.admit('store failed');
      if (verdict.write) told += 1 + verdict.suppressed;
    }
    const left = [...all.drain().values()].reduce((sum, count) => sum + count, 0);
    expect(told + left).toBe(10_000);
    expect(all.drain().size).toBe(0);
  });

  it('writes each kind by itself', () => {
    const { lines: all } = lines({ atMost: 1, perMs: 1_000, kinds: 3 });
    expect([all.admit('a').write, all.admit('b').write, all.admit('a').write]).toEqual([true, true, false]);
  });

  it('J11: is bounded in kinds; those beyond share one count, and quiet ones make room', () => {
    const { clock, lines: all } = lines({ atMost: 1, perMs: 1_000, kinds: 3 });
    const written = Array.from({ length: 100 }, (_, number) => all.admit(`kind ${number}`).write);
    expect(written.filter(Boolean)).toHaveLength(4);
    clock.nowMs = 1_000;
    expect(all.admit('another').write).toBe(true);
    expect([...all.drain().values()].reduce((sum, count) => sum + count, 0)).toBe(96);
  });
});
