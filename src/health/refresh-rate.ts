import type { OutcomeCounts } from '../domain/attempt-statistics.js';

/** Fewer attempts than this say nothing: at a true rate of 0.99, 20 read below 0.90 once in a thousand times. */
export const MINIMUM_SAMPLES = 20;

const DEGRADED_BELOW = 0.9;
const CRITICAL_BELOW = 0.5;

export type RefreshRateState = 'ok' | 'degraded' | 'critical' | 'insufficient_data';

export interface RefreshRate {
  readonly state: RefreshRateState;
  /** Stored pairs over attempts with a verdict about us or the path; `null` without any such attempt. */
  readonly rate: number | null;
  readonly samples: number;
}

/**
 * The refresh success rate. People who revoke access (`dead`) and Notion's own limits (`not_processed`) are no failure
 * of ours, and an attempt that was not sent spent nothing: none of them counts.
 */
export function refreshRate(counts: OutcomeCounts): RefreshRate {
  const samples = counts.success + counts.lost + counts.unknown + counts.configuration;
  const rate = samples === 0 ? null : counts.success / samples;
  return {
    state: rate === null || samples < MINIMUM_SAMPLES ? 'insufficient_data' : stateOf(rate),
    rate,
    samples,
  };
}

function stateOf(rate: number): RefreshRateState {
  if (rate < CRITICAL_BELOW) return 'critical';
  return rate < DEGRADED_BELOW ? 'degraded' : 'ok';
}
