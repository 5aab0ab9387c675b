import type { AttemptEnding, Claim, StoreVerdict } from '../domain/authorization-store.js';
import type { AuthorizationId, TokenPair } from '../domain/authorization.js';
import type { Secret } from '../domain/secret.js';
import { hasSucceeded, journalEnd, journalSuccess } from './attempt-journal.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { lockRow } from './authorization-rows.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { fromNow } from './database-time.js';
import type { Dialect } from './dialect.js';
import { addActivations } from './events.js';
import { gatesOpenedBy, openGates } from './refresh-gates.js';
import { addRevocations } from './revocations.js';
import type { StoreSession } from './store-session.js';

/** T4: guarded by the spent version and by nothing else, so a late pair that is the only live one is kept (R11). */
export async function storePairOf(
  session: StoreSession,
  claim: Claim,
  pair: TokenPair,
  ending: AttemptEnding,
): Promise<StoreVerdict> {
  const found = await lockRow(session, claim.authorizationId);
  if (found === null) {
    const revocations = await addRevocations(session, claim.authorizationId, tokensOf(pair));
    return { stored: false, version: 0, status: 'not_found', revocations };
  }
  if (await writePair(session, claim, pair)) {
    await addActivations(session, [{ authorizationId: found.row.id, before: found.row.status }]);
    await journalSuccess(session, claim.attemptId, ending);
    await openGates(session, gatesOpenedBy(claim, 'success'));
    return { stored: true, version: claim.spentVersion + 1 };
  }
  return superseded(session, claim, pair, found.row, ending);
}

async function superseded(
  session: StoreSession,
  claim: Claim,
  pair: TokenPair,
  { id, version, status }: AuthorizationEntity,
  ending: AttemptEnding,
): Promise<StoreVerdict> {
  // The caller repeats a store whose commit was not confirmed; the pair that stands there may be its own.
  if (version === claim.spentVersion + 1 && (await hasSucceeded(session, claim.attemptId))) {
    return { stored: true, version };
  }
  await journalEnd(session, claim.attemptId, ending);
  // Nobody will use it. After a reconnect it is left alone: revoking it might end the newer pair of the same grant.
  const revocations = status === 'revoked' ? await addRevocations(session, id, tokensOf(pair)) : [];
  return { stored: false, version, status, revocations };
}

function tokensOf({ accessToken, refreshToken }: TokenPair): readonly (Secret | null)[] {
  return [accessToken, refreshToken];
}

async function writePair(session: StoreSession, claim: Claim, pair: TokenPair): Promise<boolean> {
  const id = claim.authorizationId;
  // RFC 6749 section 6: no new refresh token means the old one stays; it is sealed anew, for its new version.
  const refreshToken = pair.refreshToken ?? claim.refreshToken;
  const change: AuthorizationChange = {
    ...storedPair(session, { id, version: claim.spentVersion + 1 }, { ...pair, refreshToken }),
    refreshTokenKept: pair.refreshToken === null,
  };
  return updateAuthorization(session, id, change, {
    guard: 'version = :spentVersion',
    parameters: { spentVersion: claim.spentVersion },
  });
}

/** What a row becomes when a pair is stored as `version`, whatever it was before. */
export function storedPair(
  { seals, dialect, clientId }: StoreSession,
  { id, version }: { readonly id: AuthorizationId; readonly version: number },
  pair: TokenPair,
): AuthorizationChange {
  return {
    ...activeRow(dialect),
    ...seals.seal({ id, clientId, version }, pair),
    ...pairTimes(dialect, pair),
    version,
  };
}

/** The part of it that is the same for every row. */
export function activeRow({ now }: Dialect): AuthorizationChange {
  return {
    // First, because MySQL and MariaDB assign from left to right.
    statusSince: () => `CASE WHEN status = 'active' THEN status_since ELSE ${now} END`,
    ...NO_ATTEMPT,
    status: 'active',
    reason: null,
    pairStoredAt: () => now,
    lastSuccessAt: () => now,
  };
}

export function pairTimes(dialect: Dialect, { expiresInMs }: TokenPair): AuthorizationChange {
  return {
    pairStoredAt: () => dialect.now,
    accessTokenExpiresAt: expiresInMs === null ? null : () => fromNow(dialect, expiresInMs),
  };
}
