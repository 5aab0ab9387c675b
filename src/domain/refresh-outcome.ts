import type { ReconnectReason } from './authorization.js';
import type { RefreshGate } from './refresh-gate.js';

/** Why a refresh was asked for. */
export const REFRESH_TRIGGERS = ['unauthorized', 'schedule', 'manual', 'recovery'] as const;
export type RefreshTrigger = (typeof REFRESH_TRIGGERS)[number];

/**
 * What became of an attempt that is over, as the attempt journal keeps it. `lost` is `dead` after an unknown
 * outcome: our own loss, not the person's decision.
 */
export const ATTEMPT_OUTCOMES = [
  'success',
  'dead',
  'lost',
  'unknown',
  'not_sent',
  'not_processed',
  'configuration',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Protocol facts of an answer that was no success. Never a body, a header or a token. */
export interface NotionFailure {
  /** HTTP status; absent when no answer came. */
  readonly status?: number;
  /** Notion's or OAuth's error code (`invalid_grant`, `rate_limited`), or the socket's (`ECONNREFUSED`). */
  readonly code?: string;
  /** Host and port of the outgoing proxy, where the request failed there. */
  readonly proxy?: string;
  /** Notion's request id, for its support. */
  readonly requestId?: string;
  /** How long Notion asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * What asking for a refresh came to. Expected failures are values here; only surprises are thrown.
 *
 * - `renewed`: this process stored a new pair.
 * - `followed`: somebody else had stored or was storing a newer pair.
 * - `needs_reconnect`, `revoked`: only the person can help.
 * - `busy`: somebody else's refresh outlasted the caller's wait; it goes on.
 * - `postponed`: no process may send before `retryInMs` is over; `gate` names the open circuit breaker, if it is one.
 * - `not_sent`, `not_processed`, `configuration`: the refresh token was not spent.
 * - `unknown`: Notion may have rotated; resolved before the refresh token is used again.
 *
 * `retryInMs` is the time, in milliseconds, before which no process tries this authorization again.
 */
export type RefreshOutcome =
  | { readonly kind: 'renewed'; readonly version: number }
  | { readonly kind: 'followed'; readonly version: number }
  | { readonly kind: 'needs_reconnect'; readonly reason: ReconnectReason; readonly failure?: NotionFailure }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'postponed'; readonly retryInMs: number; readonly gate?: RefreshGate }
  | {
      readonly kind: 'not_sent' | 'not_processed' | 'configuration' | 'unknown';
      readonly failure: NotionFailure;
      readonly retryInMs: number;
    };
