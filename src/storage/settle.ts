import type {
  AttemptEnding,
  Claim,
  MassDeadGuard,
  Settlement,
  SettleVerdict,
} from '../domain/authorization-store.js';
import { journalEnd } from './attempt-journal.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { fromNow } from './database-time.js';
import { addEvent } from './events.js';
import { isAuthorizationId } from './identifiers.js';
import { isOneOfTooMany } from './mass-dead.js';
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
  if (guard !== null && (await isOneOfTooMany(session, claim, ending, guard))) {
    return (await endAttempt(session, claim, holdBack(guard), ending)) ? 'held_back' : 'superseded';
  }
  return (await endAttempt(session, claim, settlement, ending)) ? 'settled' : 'superseded';
}

function holdBack({ closeForMs }: MassDeadGuard): Settlement {
  return { kind: 'postpone', retryInMs: closeForMs, gate: 'mass_dead' };
}

async function endAttempt(
  session: StoreSession,
  claim: Claim,
  settlement: Settlement,
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
  }
  return settled;
}

async function raiseEvent(session: StoreSession, claim: Claim, settlement: Settlement): Promise<void> {
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
  settlement: Settlement,
  { outcome }: AttemptEnding,
): Promise<void> {
  const closing = settlement.kind === 'postpone' ? settlement.gate : undefined;
  const opening = gatesOpenedBy(claim, outcome).filter((gate) => gate !== closing);
  await openGates(session, opening);
  if (settlement.kind === 'postpone' && closing !== undefined) {
    const wasOpen = await closeGate(session, closing, settlement.retryInMs);
    if (wasOpen && (closing === 'configuration' || closing === 'mass_dead')) {
      await addEvent(session, { name: 'configuration_alarm', reason: closing });
    }
  }
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
