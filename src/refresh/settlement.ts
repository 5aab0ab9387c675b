import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Settlement } from '../domain/authorization-store.js';
import { SECOND_MS } from '../domain/duration.js';
import type { ClassifiedFailure } from '../domain/notion-oauth.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { jittered } from './backoff.js';

/** Backoff where Notion names none. */
const NOT_SENT_RETRY_MS = SECOND_MS;
const NOT_PROCESSED_RETRY_MS = 5 * SECOND_MS;
const CONFIGURATION_RETRY_MS = 30 * SECOND_MS;
const UNKNOWN_RETRY_MS = SECOND_MS;

export interface Verdict {
  readonly settlement: Settlement;
  readonly outcome: AttemptOutcome;
}

/**
 * What a failed attempt may change: the table of outcome classes. Only `dead` touches the status, and it is called
 * `lost_rotation` when an earlier attempt may have rotated: then it is our loss and not the person's decision.
 */
export function verdictOn(
  answer: ClassifiedFailure,
  afterUnknown: boolean,
  limits: Pick<NotionAuthConfig['refresh'], 'maxRetryAfterMs'>,
): Verdict {
  switch (answer.kind) {
    case 'dead':
      return afterUnknown
        ? { settlement: { kind: 'needs_reconnect', reason: 'lost_rotation' }, outcome: 'lost' }
        : { settlement: { kind: 'needs_reconnect', reason: 'revoked_or_expired' }, outcome: 'dead' };
    case 'not_sent':
      return { settlement: postpone(NOT_SENT_RETRY_MS), outcome: 'not_sent' };
    case 'not_processed':
      return {
        settlement: waitAsAsked(answer.failure.retryAfterMs, limits.maxRetryAfterMs),
        outcome: 'not_processed',
      };
    case 'configuration':
      return { settlement: postpone(CONFIGURATION_RETRY_MS), outcome: 'configuration' };
    case 'unknown':
      return { settlement: { kind: 'unknown', retryInMs: UNKNOWN_RETRY_MS }, outcome: 'unknown' };
  }
}

function waitAsAsked(retryAfterMs: number | undefined, longestMs: number): Settlement {
  if (retryAfterMs === undefined) return postpone(NOT_PROCESSED_RETRY_MS);
  // Never earlier than asked: the jitter only adds.
  const askedMs = Math.min(retryAfterMs, longestMs);
  return { kind: 'postpone', retryInMs: askedMs + Math.random() * SECOND_MS };
}

function postpone(baseMs: number): Settlement {
  return { kind: 'postpone', retryInMs: jittered(baseMs) };
}
