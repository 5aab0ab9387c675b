import type { AttemptEnding, Claim, Settlement, SettleVerdict } from '../domain/authorization-store.js';
import { journalEnd } from './attempt-journal.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { fromNow } from './database-time.js';
import { addEvent } from './events.js';
import { isAuthorizationId } from './identifiers.js';
import { judgeRejection, noteSuspects } from './mass-revocation.breaker.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { closeGate, gatesOpenedBy, openGates } from './refresh-gates.js';
import type { StoreSession } from './store-session.js';

/** T2, T3, T5, T6, T9, T10: one conditional statement on the row, one on the journal, and the gates it moves. */
export async function settleClaim(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement,
  ending: AttemptEnding,
): Promise<SettleVerdict> {
  if (!isAuthorizationId(claim.authorizationId)) return 'superseded';
  const guard = settlement.kind === 'needs_reconnect' ? settlement.guard : null;
  const verdict = guard === null ? 'believed' : await judgeRejection(session, claim, ending, guard);
  if (guard === null || verdict === 'believed') {
    return (await endAttempt(session, claim, settlement, ending)) ? 'settled' : 'superseded';
  }
  const holdBack: HoldBack = { kind: 'hold_back', tripForMs: verdict === 'tripped' ? guard.openForMs : null };
  return (await endAttempt(session, claim, holdBack, ending)) ? 'held_back' : 'superseded';
}

/** A rejected grant that stays `active` while the mass-revocation breaker is open; it trips the breaker, or not. */
interface HoldBack {
  readonly kind: 'hold_back';
  readonly tripForMs: number | null;
}

async function endAttempt(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement | HoldBack,
  ending: AttemptEnding,
): Promise<boolean> {
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
  if (settled) {
    await moveGates(session, claim, settlement, ending);
    await raiseEvent(session, claim, settlement);
    if (settlement.kind === 'hold_back') await noteSuspects(session, [claim], true);
  }
  return settled;
}

async function raiseEvent(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement | HoldBack,
): Promise<void> {
  const { authorizationId } = claim;
  if (settlement.kind === 'needs_reconnect') {
    await addEvent(session, { name: 'needs_reconnect', authorizationId, reason: settlement.reason });
  } else if (settlement.kind === 'unknown' && claim.recovering === null) {
    await addEvent(session, { name: 'refresh_failed', authorizationId, reason: 'unknown' });
  }
}

async function moveGates(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement | HoldBack,
  { outcome }: AttemptEnding,
): Promise<void> {
  const closing = gateClosedBy(settlement);
  const opening = gatesOpenedBy(claim, outcome).filter((gate) => gate !== closing?.gate);
  await openGates(session, opening);
  if (closing === null) return;
  const wasOpen = await closeGate(session, closing.gate, closing.forMs);
  if (wasOpen && (closing.gate === 'configuration' || closing.gate === 'mass_dead')) {
    await addEvent(session, { name: 'configuration_alarm', reason: closing.gate });
  }
}

function gateClosedBy(
  settlement: Settlement | HoldBack,
): { readonly gate: RefreshGate; readonly forMs: number } | null {
  if (settlement.kind === 'postpone' && settlement.gate !== undefined) {
    return { gate: settlement.gate, forMs: settlement.retryInMs };
  }
  const tripForMs = settlement.kind === 'hold_back' ? settlement.tripForMs : null;
  return tripForMs === null ? null : { gate: 'mass_dead', forMs: tripForMs };
}

function changeFor(
  { dialect, seals }: StoreSession,
  claim: Claim,
  settlement: Settlement | HoldBack,
): AuthorizationChange {
  const { now } = dialect;
  switch (settlement.kind) {
    case 'hold_back':
      return { ...handBack(now), refusedRefreshTokenFingerprint: seals.fingerprint(claim.refreshToken) };
    case 'release':
      return handBack(now);
    case 'postpone':
      return { ...handBack(now), nextAttemptAt: () => fromNow(dialect, settlement.retryInMs) };
    case 'unknown':
      return {
        attemptPhase: 'unknown',
        leaseUntil: () => now,
        nextAttemptAt: () => fromNow(dialect, settlement.retryInMs),
        unresolvedSince: () =>
          settlement.sent ? 'attempt_started_at' : 'COALESCE(unresolved_since, attempt_started_at)',
        ...(settlement.replayed ? { unresolvedReplayed: true } : {}),
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
