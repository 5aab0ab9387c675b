import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import type { AuthorizationStatus } from '../domain/authorization.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import type { TimeSpan } from '../domain/time-grid.js';
import type { RefreshRateState } from '../health/refresh-rate.js';

export const STATUS_WORDS: Readonly<Record<AuthorizationStatus, string>> = {
  active: 'Active',
  needs_reconnect: 'Needs reconnect',
  revoked: 'Disconnected',
};

export const SPAN_WORDS: Readonly<Record<TimeSpan, string>> = {
  '15m': '15 minutes',
  '24h': '24 hours',
  '7d': '7 days',
};

export const STATE_WORDS: Readonly<Record<RefreshRateState, string>> = {
  ok: 'Healthy',
  degraded: 'Degraded',
  critical: 'Critical',
  insufficient_data: 'Too little to judge',
};

export const GATE_WORDS: Readonly<Record<RefreshGate, string>> = {
  rate_limit: 'Notion asked to wait; refreshing goes on by itself.',
  configuration: 'Notion refuses the credentials of this application.',
  mass_dead:
    'The refresh tokens of many tenants were rejected at once. No other authorization is marked until a probe succeeds.',
  failover: 'The database may have lost its last commits; newer pairs are put back first.',
};

export const OUTCOME_WORDS: Readonly<Record<AttemptOutcome, string>> = {
  success: 'Renewed',
  dead: 'Grant is over',
  lost: 'Rotation lost',
  unknown: 'Not known',
  not_sent: 'Not sent',
  not_processed: 'Not processed',
  configuration: 'Client refused',
};

const NUMBER = new Intl.NumberFormat('en');

export function count(number: number): string {
  return NUMBER.format(number);
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Never 100 % while anything failed. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  const shown = share === 1 ? '100' : (Math.floor(share * 1_000) / 10).toFixed(1);
  return `${shown} %`;
}

export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < SECOND_MS) return `${String(Math.round(ms))} ms`;
  if (ms < MINUTE_MS) return `${String(Math.round(ms / 100) / 10)} s`;
  return `${String(Math.round(ms / MINUTE_MS))} min`;
}
