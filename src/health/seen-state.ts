import type { AttemptCount } from '../domain/fleet-readings.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { judgeRate, type MinuteCount, type RefreshRateState } from './refresh-rate.js';

/** A pair that nobody but this process has for longer than this is at risk. */
const PENDING_AT_RISK_MINUTES = 0.5;

/** What there is to see at one moment. */
export interface Sight {
  readonly attempts: readonly MinuteCount[];
  /** `null` while the database does not answer. */
  readonly closedGates: readonly RefreshGate[] | null;
  readonly oldestPendingPairMs: number;
  /** Length of a minute, in milliseconds. */
  readonly minuteMs: number;
}

/** Attempts by the minutes that health counts in. */
export function byMinute(attempts: readonly AttemptCount[], minuteMs: number): readonly MinuteCount[] {
  return attempts.map(({ ageMs, outcome, total }) => ({
    minutesAgo: Math.floor(ageMs / minuteMs),
    outcome,
    total,
  }));
}

/** @param current - The state that was told last. */
export function seenState(
  { attempts, closedGates, oldestPendingPairMs, minuteMs }: Sight,
  current: RefreshRateState,
): RefreshRateState {
  const isAtRisk = oldestPendingPairMs > PENDING_AT_RISK_MINUTES * minuteMs;
  const isRefused = closedGates?.includes('configuration') ?? false;
  return isAtRisk || isRefused ? 'critical' : judgeRate(attempts, current);
}
