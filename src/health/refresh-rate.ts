import type { AttemptOutcome } from '../domain/refresh-outcome.js';

/** Fewer attempts than this say nothing: at a true rate of 0.99, 20 read below 0.90 once in a thousand times. */
export const MINIMUM_SAMPLES = 20;

const WINDOW_MINUTES = 15;
/** A window of a quarter of an hour notices a sudden end only after half of it. */
const SUDDEN_MINUTES = 2;
const RECENT_MINUTES = 5;

const DEGRADED_BELOW = 0.9;
const CRITICAL_BELOW = 0.5;
const RECOVERED_AT = 0.97;

/** Attempts that ended alike, so many whole minutes ago. */
export interface MinuteCount {
  readonly minutesAgo: number;
  readonly outcome: AttemptOutcome;
  readonly total: number;
}

export type RefreshRateState = 'ok' | 'degraded' | 'critical' | 'insufficient_data';

export interface RefreshRate {
  /** Stored pairs over attempts with a verdict about us or the path; `null` without any such attempt. */
  readonly rate: number | null;
  readonly samples: number;
}

/**
 * People who revoke access (`dead`) and Notion's own limits (`not_processed`) are no failure of ours, and an attempt
 * that was not sent spent nothing: none of them counts.
 */
export const COUNTED: readonly AttemptOutcome[] = ['success', 'lost', 'unknown', 'configuration'];

/** The refresh success rate over the last `minutes`. */
export function refreshRate(attempts: readonly MinuteCount[], minutes = WINDOW_MINUTES): RefreshRate {
  const within = attempts.filter(({ minutesAgo }) => minutesAgo < minutes);
  const total = (outcomes: readonly AttemptOutcome[]): number =>
    within.reduce((sum, { outcome, total: n }) => (outcomes.includes(outcome) ? sum + n : sum), 0);
  const samples = total(COUNTED);
  return { rate: samples === 0 ? null : total(['success']) / samples, samples };
}

/**
 * What the attempts say by themselves, with memory of one thing: whoever was bad is good again only at 0.97 over five
 * minutes, or over the whole window where five minutes hold too little.
 */
export function judgeRate(attempts: readonly MinuteCount[], current: RefreshRateState): RefreshRateState {
  const whole = refreshRate(attempts);
  const worst = worseOf(stateOf(whole), stateOf(refreshRate(attempts, SUDDEN_MINUTES)));
  if (!isBad(current) || worst === 'insufficient_data') return worst;
  const recent = refreshRate(attempts, RECENT_MINUTES);
  const decisive = recent.samples >= MINIMUM_SAMPLES ? recent : whole;
  if ((decisive.rate ?? 1) >= RECOVERED_AT) return 'ok';
  return isBad(worst) ? worst : 'degraded';
}

export function isBad(state: RefreshRateState): boolean {
  return state === 'degraded' || state === 'critical';
}

function stateOf({ rate, samples }: RefreshRate): RefreshRateState {
  if (rate === null || samples < MINIMUM_SAMPLES) return 'insufficient_data';
  if (rate < CRITICAL_BELOW) return 'critical';
  return rate < DEGRADED_BELOW ? 'degraded' : 'ok';
}

const SEVERITY: readonly RefreshRateState[] = ['insufficient_data', 'ok', 'degraded', 'critical'];

function worseOf(one: RefreshRateState, other: RefreshRateState): RefreshRateState {
  return SEVERITY.indexOf(one) >= SEVERITY.indexOf(other) ? one : other;
}
