import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { MassRevocationGuard, Settlement } from '../domain/authorization-store.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import type { ClassifiedFailure } from '../domain/notion-oauth.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { jittered } from './backoff.js';

/** Backoff where Notion names none. */
const NOT_SENT_RETRY_MS = SECOND_MS;
const NOT_PROCESSED_RETRY_MS = 5 * SECOND_MS;
const CONFIGURATION_RETRY_MS = 30 * SECOND_MS;
const UNKNOWN_RETRY_MS = SECOND_MS;

const MASS_REVOCATION_WINDOW_MS = 10 * MINUTE_MS;
/**
 * How long the mass-revocation breaker blocks every refresh before it is probed. With the time between probes it bounds
 * how long the rejected grants of some tenants keep those of another from being tried.
 */
export const MASS_REVOCATION_OPEN_MS = 30 * SECOND_MS;

export interface Verdict {
  readonly settlement: Settlement;
  readonly outcome: AttemptOutcome;
}

/** What was known of the refresh token when it was presented. */
export interface Presented {
  /** An earlier attempt with it may have reached Notion. */
  readonly afterUnknown: boolean;
  /** Presented although nobody could say whether it is spent (T10). */
  readonly asReplay: boolean;
}

/**
 * What a failed attempt may change: the table of outcome classes. Only `dead` touches the status, and it is called
 * `lost_rotation` when an earlier attempt may have rotated: then it is our loss and not the person's decision.
 */
export function verdictOn(
  answer: ClassifiedFailure,
  { afterUnknown, asReplay }: Presented,
  limits: Pick<NotionAuthConfig['refresh'], 'maxRetryAfterMs' | 'massDeadMinimum'>,
): Verdict {
  switch (answer.kind) {
    case 'dead':
      return afterUnknown ? lost() : dead(limits.massDeadMinimum);
    case 'not_sent':
      return {
        settlement: { kind: 'postpone', retryInMs: jittered(NOT_SENT_RETRY_MS) },
        outcome: 'not_sent',
      };
    case 'not_processed':
      return { settlement: waitAsAsked(answer, limits.maxRetryAfterMs), outcome: 'not_processed' };
    case 'configuration':
      // The whole client is refused, so the whole client waits; one attempt in this time finds out whether it still is.
      return {
        settlement: { kind: 'postpone', retryInMs: CONFIGURATION_RETRY_MS, gate: 'configuration' },
        outcome: 'configuration',
      };
    case 'unknown':
      return {
        settlement: {
          kind: 'unknown',
          retryInMs: jittered(UNKNOWN_RETRY_MS),
          sent: true,
          replayed: asReplay,
        },
        outcome: 'unknown',
      };
  }
}

function lost(): Verdict {
  return { settlement: { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null }, outcome: 'lost' };
}

function dead(threshold: number): Verdict {
  const guard: MassRevocationGuard = {
    threshold,
    windowMs: MASS_REVOCATION_WINDOW_MS,
    openForMs: MASS_REVOCATION_OPEN_MS,
  };
  return { settlement: { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard }, outcome: 'dead' };
}

/** A `Retry-After` holds for every refresh of the client, whoever was told; never shorter than asked. */
function waitAsAsked({ failure }: ClassifiedFailure, longestMs: number): Settlement {
  if (failure.retryAfterMs === undefined) {
    return { kind: 'postpone', retryInMs: jittered(NOT_PROCESSED_RETRY_MS) };
  }
  const askedMs = Math.min(failure.retryAfterMs, longestMs);
  return { kind: 'postpone', retryInMs: askedMs + Math.random() * SECOND_MS, gate: 'rate_limit' };
}
