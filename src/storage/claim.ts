import { randomUUID } from 'node:crypto';
import type {
  Claim,
  ClaimRefusal,
  ClaimRequest,
  ClaimResult,
  UnresolvedAttempt,
} from '../domain/authorization-store.js';
import type { Secret } from '../domain/secret.js';
import { journalEnd, journalStart } from './attempt-journal.js';
import { lockRow, type RowAtInstant } from './authorization-rows.js';
import { updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { fromNow } from './database-time.js';
import type { StoreSession } from './store-session.js';

/** T1 and T7. The claim and its journal row are one commit: an unwritable store never spends a token (R3). */
export async function claimRow(session: StoreSession, request: ClaimRequest): Promise<ClaimResult> {
  const found = await lockRow(session, request.authorizationId);
  if (found === null) return { kind: 'not_found' };
  const refusal = refuseClaim(found, request.seenVersion);
  if (refusal !== null) return refusal;
  // Opened before anything is written: a token that no key opens leaves no claim behind.
  const refreshToken = session.seals.refreshToken(found.row);
  if (refreshToken === null) return { kind: 'needs_reconnect', reason: 'no_refresh_token' };
  if (isRefused(session, found.row, refreshToken)) {
    return { kind: 'needs_reconnect', reason: 'revoked_or_expired' };
  }
  return take(session, request, found, refreshToken);
}

/** What stands in the way of a claim, most final first. */
export function refuseClaim({ row, nowMs }: RowAtInstant, seenVersion: number): ClaimRefusal | null {
  if (row.status === 'revoked') return { kind: 'revoked' };
  // Lower too: after a failover the row may have gone back, and its token must be looked at before it is spent.
  if (row.version !== seenVersion) return { kind: 'moved', version: row.version };
  if (row.status === 'needs_reconnect') {
    return { kind: 'needs_reconnect', reason: row.reason ?? 'revoked_or_expired' };
  }
  const leaseLeftMs = (row.leaseUntil ?? nowMs) - nowMs;
  if (leaseLeftMs > 0) return { kind: 'claimed_elsewhere', leaseLeftMs };
  const retryInMs = (row.nextAttemptAt ?? nowMs) - nowMs;
  return retryInMs > 0 ? { kind: 'postponed', retryInMs } : null;
}

/** R16: a refresh token that Notion refused is never presented again. */
function isRefused({ seals }: StoreSession, row: AuthorizationEntity, refreshToken: Secret): boolean {
  const refused = row.refusedRefreshTokenFingerprint;
  return refused !== null && refused === seals.fingerprint(refreshToken);
}

async function take(
  session: StoreSession,
  request: ClaimRequest,
  { row, nowMs }: RowAtInstant,
  refreshToken: Secret,
): Promise<ClaimResult> {
  const unresolvedSince = row.unresolvedSince ?? row.attemptStartedAt;
  const claim: Claim = {
    authorizationId: row.id,
    attemptId: randomUUID(),
    spentVersion: row.version,
    leaseMs: request.leaseMs,
    refreshToken,
    // Only a help for recovery: a damaged one must not keep the refresh from replacing it.
    accessToken: session.seals.unlessKeyIsLost(() => session.seals.accessToken(row)),
    recovering: unresolvedAttempt(unresolvedSince, nowMs),
  };
  if (!(await writeClaim(session, claim, row, unresolvedSince))) {
    return { kind: 'claimed_elsewhere', leaseLeftMs: 0 };
  }
  if (row.attemptId !== null) await journalEnd(session, row.attemptId, { outcome: 'unknown' });
  await journalStart(session, request, claim);
  return { kind: 'claimed', claim };
}

function unresolvedAttempt(sinceMs: number | null, nowMs: number): UnresolvedAttempt | null {
  return sinceMs === null ? null : { ageMs: Math.max(0, nowMs - sinceMs) };
}

/** The guard decides, not the lock: everything that was read and must still hold stands in the `WHERE`. */
function writeClaim(
  session: StoreSession,
  claim: Claim,
  row: AuthorizationEntity,
  unresolvedSince: number | null,
): Promise<boolean> {
  const { now } = session.dialect;
  const change: AuthorizationChange = {
    attemptId: claim.attemptId,
    attemptOwner: session.processName,
    attemptPhase: 'in_flight',
    attemptStartedAt: () => now,
    leaseUntil: () => fromNow(session.dialect, claim.leaseMs),
    nextAttemptAt: null,
    unresolvedSince,
    lastAttemptAt: () => now,
  };
  const guard = [
    `version = :version AND status = 'active'`,
    row.attemptId === null ? 'attempt_id IS NULL' : 'attempt_id = :previous',
    `(lease_until IS NULL OR lease_until <= ${now})`,
    `(next_attempt_at IS NULL OR next_attempt_at <= ${now})`,
  ].join(' AND ');
  const parameters = { version: row.version, previous: row.attemptId };
  return updateAuthorization(session, row.id, change, { guard, parameters });
}
