import type {
  Claim,
  ClaimRefusal,
  ClaimRequest,
  ClaimResult,
  UnresolvedAttempt,
} from '../domain/authorization-store.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import type { Secret } from '../domain/secret.js';
import { journalEnd, journalStart } from './attempt-journal.js';
import { lockRowIfFree, type RowAtInstant } from './authorization-rows.js';
import { updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { fromNow } from './database-time.js';
import { isHeldBackElseMark, isSuspected, noteSuspects } from './mass-revocation.breaker.js';
import { becomeProbe, gatePassage, notThisTime } from './refresh-gates.js';
import type { StoreSession } from './store-session.js';

/** The attempt to be. One that stands on the row already is this very claim, whose commit was not confirmed. */
export interface AttemptDraft {
  readonly attemptId: string;
  probing: RefreshGate | null;
}

type PostponedClaim = Extract<ClaimRefusal, { kind: 'postponed' }>;

/** T1 and T7. The claim and its journal row are one commit: an unwritable store never spends a token (R3). */
export async function claimRow(
  session: StoreSession,
  request: ClaimRequest,
  draft: AttemptDraft,
): Promise<ClaimResult> {
  const found = await lockRowIfFree(session, request.authorizationId);
  if (found === null) return { kind: 'not_found' };
  if (found === 'locked') return { kind: 'claimed_elsewhere', leaseLeftMs: 0 };
  if (found.row.attemptId === draft.attemptId) return resume(session, request, found, draft);
  const refusal = refuseClaim(found, request.seenVersion);
  if (refusal !== null && refusal.kind !== 'postponed') return refusal;
  const passage = await gatePassage(session);
  if (passage.kind === 'postponed') return longer(passage, refusal);
  if (refusal !== null) return refusal;
  // Opened before anything is written: a token that no key opens leaves no claim behind.
  const refreshToken = session.seals.refreshToken(found.row);
  if (refreshToken === null) return { kind: 'needs_reconnect', reason: 'no_refresh_token' };
  const isRejected = isRefused(session, found.row, refreshToken);
  if (isRejected) {
    if (await isHeldBackElseMark(session, found.row)) return notThisTime('mass_dead');
    return { kind: 'needs_reconnect', reason: 'revoked_or_expired' };
  }
  if (
    passage.kind === 'probe' &&
    passage.gate === 'mass_dead' &&
    (await isSuspected(session, found.row.id))
  ) {
    return notThisTime(passage.gate);
  }
  draft.probing = passage.kind === 'probe' ? passage.gate : null;
  const beaten = draft.probing === null ? null : await becomeProbe(session, draft.probing);
  return (
    beaten ??
    take(
      session,
      request,
      found,
      claimOn(found, request.leaseMs, draft, tokensFor(session, found, refreshToken)),
    )
  );
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
export function isRefused({ seals }: StoreSession, row: AuthorizationEntity, refreshToken: Secret): boolean {
  const refused = row.refusedRefreshTokenFingerprint;
  return refused !== null && seals.isFingerprintOf(refreshToken, refused);
}

export function claimOn(
  { row, nowMs }: RowAtInstant,
  leaseMs: number,
  { attemptId, probing }: AttemptDraft,
  tokens: Pick<Claim, 'refreshToken' | 'accessToken'>,
): Claim {
  return {
    authorizationId: row.id,
    botId: row.botId,
    workspaceId: row.workspaceId,
    attemptId,
    spentVersion: row.version,
    leaseMs,
    ...tokens,
    recovering: unresolvedAttempt({ row, nowMs }, unresolvedSince(row)),
    probing,
  };
}

/** The access token is only a help for recovery: a damaged one must not keep the refresh from replacing it. */
function tokensFor(
  { seals }: StoreSession,
  { row }: RowAtInstant,
  refreshToken: Secret,
): Pick<Claim, 'refreshToken' | 'accessToken'> {
  return { refreshToken, accessToken: seals.unlessKeyIsLost(() => seals.accessToken(row)) };
}

function longer(gate: PostponedClaim, row: PostponedClaim | null): PostponedClaim {
  return row === null ? gate : { ...gate, retryInMs: Math.max(gate.retryInMs, row.retryInMs) };
}

async function take(
  session: StoreSession,
  request: ClaimRequest,
  { row }: RowAtInstant,
  claim: Claim,
): Promise<ClaimResult> {
  if (!(await writeClaim(session, claim, row))) return { kind: 'claimed_elsewhere', leaseLeftMs: 0 };
  if (row.attemptId !== null) await journalEnd(session, row.attemptId, { outcome: 'unknown' });
  await journalStart(session, request.trigger, [claim]);
  if (claim.probing === 'mass_dead') await noteSuspects(session, [claim], false);
  return { kind: 'claimed', claim };
}

/** The lease is counted anew: whoever asks again measures its own from then on. */
async function resume(
  session: StoreSession,
  request: ClaimRequest,
  found: RowAtInstant,
  draft: AttemptDraft,
): Promise<ClaimResult> {
  const { row } = found;
  const refreshToken = session.seals.refreshToken(row);
  const change = { leaseUntil: () => fromNow(session.dialect, request.leaseMs) };
  const isOurs = await updateAuthorization(session, row.id, change, {
    guard: `version = :version AND attempt_id = :attemptId AND attempt_phase = 'in_flight'`,
    parameters: { version: request.seenVersion, attemptId: draft.attemptId },
  });
  if (!isOurs || refreshToken === null) return { kind: 'claimed_elsewhere', leaseLeftMs: 0 };
  const claim = claimOn(found, request.leaseMs, draft, tokensFor(session, found, refreshToken));
  return { kind: 'claimed', claim: { ...claim, recovering: unresolvedAttempt(found, row.unresolvedSince) } };
}

function unresolvedAttempt({ row, nowMs }: RowAtInstant, sinceMs: number | null): UnresolvedAttempt | null {
  return sinceMs === null ? null : { ageMs: Math.max(0, nowMs - sinceMs), replayed: row.unresolvedReplayed };
}

/**
 * Guard `quarantineFromLastSend`: an attempt whose lease ran out may itself have been sent, so the quarantine counts
 * from its beginning, and not from that of the attempt that it came to resolve.
 */
function unresolvedSince(row: AuthorizationEntity): number | null {
  return row.attemptPhase === 'in_flight' ? row.attemptStartedAt : row.unresolvedSince;
}

/** The guard decides, not the lock: everything that was read and must still hold stands in the `WHERE`. */
function writeClaim(session: StoreSession, claim: Claim, row: AuthorizationEntity): Promise<boolean> {
  const { now } = session.dialect;
  const change: AuthorizationChange = {
    ...claimColumns(session, claim.leaseMs),
    attemptId: claim.attemptId,
    unresolvedSince: unresolvedSince(row),
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

/** What every claim writes, besides its attempt's id. */
export function claimColumns({ dialect, processName }: StoreSession, leaseMs: number): AuthorizationChange {
  return {
    attemptOwner: processName,
    attemptPhase: 'in_flight',
    attemptStartedAt: () => dialect.now,
    leaseUntil: () => fromNow(dialect, leaseMs),
    nextAttemptAt: null,
    lastAttemptAt: () => dialect.now,
  };
}
