import type { OutcomeCounts } from '../domain/attempt-statistics.js';
import { refreshRate } from './refresh-rate.js';

const NONE: OutcomeCounts = {
  success: 0,
  dead: 0,
  lost: 0,
  unknown: 0,
  not_sent: 0,
  not_processed: 0,
  configuration: 0,
};

describe('refreshRate', () => {
  it.each([
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
  ] as const)('when %s', (_, counts, expected) => {
    expect(refreshRate({ ...NONE, ...counts })).toEqual(expected);
  });
});
