import type {
  AttemptEnding,
  Claim,
  ConnectResult,
  DisconnectResult,
  NewConnection,
  SettleVerdict,
} from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { journaledOutcome } from './attempt-journal.js';
import { updateAuthorizations } from './authorization-changes.js';
import { findAuthorization } from './authorization-queries.js';
import { isLinked, lockRow, readRow } from './authorization-rows.js';
import { fromNow } from './database-time.js';
import { rowValues } from './row-values.js';
import type { StoreSession } from './store-session.js';

/*
 * The connection broke under a commit: each of these finds out whether it was made, and answers what it came to, or
 * `undefined` when the work is to run again. Claiming one authorization and storing a pair recognise their own traces
 * without help; rolling forward may run twice.
 */

/** The leases are counted anew: whoever asks measures its own from then on. */
export async function confirmClaims(
  session: StoreSession,
  claims: readonly Claim[],
): Promise<readonly Claim[] | undefined> {
  const [first] = claims;
  if (first === undefined) return undefined;
  const attempts = rowValues(
    session.dialect,
    'attempt',
    'text',
    claims.map(({ authorizationId, attemptId }) => [authorizationId, attemptId]),
  );
  const extended = await updateAuthorizations(
    session,
    claims.map(({ authorizationId }) => authorizationId),
    { leaseUntil: () => fromNow(session.dialect, first.leaseMs) },
    {
      guard: `attempt_id = ${attempts.sql} AND attempt_phase = 'in_flight'`,
      parameters: attempts.parameters,
    },
  );
  // All were committed or none; one that a reconnect took away since then settles as superseded.
  return extended > 0 ? claims : undefined;
}

export async function confirmSettlement(
  session: StoreSession,
  claim: Claim,
  { outcome }: AttemptEnding,
  verdict: SettleVerdict,
): Promise<SettleVerdict | undefined> {
  const found = await readRow(session, claim.authorizationId);
  const isStillOurs = found?.row.attemptId === claim.attemptId && found.row.attemptPhase === 'in_flight';
  if (isStillOurs) return undefined;
  return (await journaledOutcome(session, claim.attemptId)) === outcome ? verdict : undefined;
}

/**
 * A row that is past the version of this connect was refreshed since; its pair is the newer one. Where no owner was
 * linked, the work recognises its own traces.
 */
export async function confirmConnect(
  session: StoreSession,
  { pair }: NewConnection,
  result: ConnectResult,
): Promise<ConnectResult | undefined> {
  if (result.kind === 'other_grant' || result.kind === 'disconnected') return undefined;
  const { id, version } = result.authorization;
  const found = await lockRow(session, id);
  if (found === null || found.row.version < version) return undefined;
  const { seals } = session;
  const stored = seals.unlessKeyIsLost(() => seals.accessToken(found.row));
  if (found.row.version === version && stored?.equals(pair.accessToken) !== true) return undefined;
  const authorization = await findAuthorization(session, id);
  return authorization === null ? undefined : { ...result, authorization };
}

export async function confirmDisconnect(
  session: StoreSession,
  id: AuthorizationId,
  ownerId: string,
  result: DisconnectResult,
): Promise<DisconnectResult | undefined> {
  if (result.kind === 'not_found') return result;
  return (await isLinked(session, id, ownerId)) ? undefined : result;
}
