import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { judgeRate, refreshRate, type MinuteCount } from './refresh-rate.js';

type Counts = Partial<Record<AttemptOutcome, number>>;

const ago = (minutesAgo: number, counts: Counts): MinuteCount[] =>
  Object.entries(counts).map(([outcome, total]) => ({
    minutesAgo,
    outcome: outcome as AttemptOutcome,
    total,
  }));

describe('refreshRate', () => {
  it.each<[string, Counts, { state: string; rate: number | null; samples: number }]>([
    ['nothing happened', {}, { state: 'insufficient_data', rate: null, samples: 0 }],
    [
      'one of three failed',
      { success: 2, unknown: 1 },
      { state: 'insufficient_data', rate: 2 / 3, samples: 3 },
    ],
    ['all of twenty succeeded', { success: 20 }, { state: 'ok', rate: 1, samples: 20 }],
    ['one in eight failed', { success: 21, unknown: 3 }, { state: 'degraded', rate: 0.875, samples: 24 }],
    ['most failed', { success: 5, configuration: 15 }, { state: 'critical', rate: 0.25, samples: 20 }],
    ['500 people revoked', { success: 20, dead: 500 }, { state: 'ok', rate: 1, samples: 20 }],
    ['Notion limits us', { success: 20, not_processed: 500 }, { state: 'ok', rate: 1, samples: 20 }],
    ['Notion is not reached', { success: 20, not_sent: 500 }, { state: 'ok', rate: 1, samples: 20 }],
  ])('when %s', (_, counts, { state, ...expected }) => {
    expect(refreshRate(ago(0, counts))).toEqual(expected);
    expect(judgeRate(ago(0, counts), 'insufficient_data')).toBe(state);
  });

  it('leaves out what is older than its window', () => {
    expect(refreshRate([...ago(14, { success: 1 }), ...ago(15, { unknown: 9 })])).toEqual({
      rate: 1,
      samples: 1,
    });
  });
});

describe('judgeRate', () => {
  it('notices a sudden end although the window is full of successes', () => {
    const attempts = [...ago(8, { success: 1_000 }), ...ago(0, { unknown: 20 })];
    expect(refreshRate(attempts).rate).toBeGreaterThan(0.97);
    expect(judgeRate(attempts, 'ok')).toBe('critical');
  });

  it('calls nobody well again below 0.97, who was not', () => {
    const better = ago(0, { success: 95, unknown: 5 });
    expect(judgeRate(better, 'ok')).toBe('ok');
    expect(judgeRate(better, 'critical')).toBe('degraded');
    expect(judgeRate(better, 'degraded')).toBe('degraded');
  });

  it('calls it well again after five good minutes, whatever was before them', () => {
    const before = ago(6, { unknown: 500 });
    expect(judgeRate([...before, ...ago(4, { success: 20 })], 'critical')).toBe('ok');
    expect(judgeRate([...before, ...ago(4, { success: 19 })], 'critical')).toBe('critical');
  });

  it('says insufficient_data, bad or not, when there is too little to go by', () => {
    expect(judgeRate(ago(0, { unknown: 19 }), 'critical')).toBe('insufficient_data');
  });
});
