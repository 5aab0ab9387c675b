import type { AttemptEnding, Claim, Settlement } from '../domain/authorization-store.js';
import { journalEnd } from './attempt-journal.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { fromNow } from './database-time.js';
import { isAuthorizationId } from './identifiers.js';
import type { StoreSession } from './store-session.js';

/** T2, T3, T5, T6, T9, T10: one conditional statement on the row, one on the journal. */
export async function settleClaim(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement,
  ending: AttemptEnding,
): Promise<boolean> {
  if (!isAuthorizationId(claim.authorizationId)) return false;
  const settled = await updateAuthorization(
    session,
    claim.authorizationId,
    changeFor(session, claim, settlement),
    {
      guard: `version = :version AND attempt_id = :attemptId AND attempt_phase = 'in_flight'`,
      parameters: { version: claim.spentVersion, attemptId: claim.attemptId },
    },
  );
  await journalEnd(session, claim.attemptId, ending);
  return settled;
}

function changeFor(
  { dialect, seals }: StoreSession,
  claim: Claim,
  settlement: Settlement,
): AuthorizationChange {
  const { now } = dialect;
  switch (settlement.kind) {
    case 'release':
      return handBack(now);
    case 'postpone':
      return { ...handBack(now), nextAttemptAt: () => fromNow(dialect, settlement.retryInMs) };
    case 'unknown':
      return {
        attemptPhase: 'unknown',
        leaseUntil: () => now,
        nextAttemptAt: () => fromNow(dialect, settlement.retryInMs),
        unresolvedSince: () => 'COALESCE(unresolved_since, attempt_started_at)',
      };
    case 'needs_reconnect':
      return {
        ...NO_ATTEMPT,
        status: 'needs_reconnect',
        reason: settlement.reason,
        statusSince: () => now,
        refusedRefreshTokenFingerprint: seals.fingerprint(claim.refreshToken),
      };
  }
}

/** An attempt that was not sent clears itself, but not the unresolved one that it came to resolve. */
function handBack(now: string): AuthorizationChange {
  const keptIfUnresolved = (kept: string) => () =>
    `CASE WHEN unresolved_since IS NULL THEN NULL ELSE ${kept} END`;
  return {
    attemptId: keptIfUnresolved('attempt_id'),
    attemptOwner: keptIfUnresolved('attempt_owner'),
    attemptPhase: keptIfUnresolved(`'unknown'`),
    attemptStartedAt: keptIfUnresolved('attempt_started_at'),
    leaseUntil: keptIfUnresolved(now),
  };
}
