import type { AttemptEnding, Claim, StoreVerdict } from '../domain/authorization-store.js';
import type { TokenPair } from '../domain/authorization.js';
import { journalSuccesses } from './attempt-journal.js';
import { updateAuthorizations, type AuthorizationChange, type ChangeGuard } from './authorization-changes.js';
import { lockVersions } from './authorization-rows.js';
import { caseOf } from './case-of.js';
import { fromNow } from './database-time.js';
import { isAuthorizationId } from './identifiers.js';
import { gatesOpenedBy, openGates } from './refresh-gates.js';
import { activeRow } from './store-pair.js';
import type { StoreSession } from './store-session.js';

/** One call of `storePair`. */
export interface PairToStore {
  readonly claim: Claim;
  readonly pair: TokenPair;
  readonly ending: AttemptEnding;
}

/**
 * T4 for many: those whose spent version stands are stored. The others have no answer here (somebody holds the row,
 * it moved, it is gone, it comes twice) and are looked at one by one.
 */
export async function storePairsOf(
  session: StoreSession,
  group: readonly PairToStore[],
): Promise<ReadonlyMap<PairToStore, StoreVerdict>> {
  const first = new Map(group.toReversed().map((one) => [one.claim.authorizationId, one]));
  const ids = [...first.keys()].filter(isAuthorizationId);
  const versions = await lockVersions(session, ids);
  const standing = [...first.values()].filter(
    ({ claim }) => versions.get(claim.authorizationId) === claim.spentVersion,
  );
  if (standing.length > 0) await store(session, standing);
  return new Map(standing.map((one) => [one, { stored: true, version: one.claim.spentVersion + 1 }]));
}

async function store(session: StoreSession, group: readonly PairToStore[]): Promise<void> {
  const ids = group.map(({ claim }) => claim.authorizationId);
  const { change, guard } = pairsPerRow(session, group);
  if ((await updateAuthorizations(session, ids, change, guard)) !== group.length) {
    throw new Error('A row that was locked to be stored has changed.');
  }
  await journalSuccesses(
    session,
    group.map(({ claim, ending }) => ({ attemptId: claim.attemptId, ending })),
  );
  await openGates(session, [...new Set(group.flatMap(({ claim }) => gatesOpenedBy(claim, 'success')))]);
}

/** As for a single pair, the guard is the spent version of each row and nothing else. */
function pairsPerRow(
  session: StoreSession,
  group: readonly PairToStore[],
): { change: AuthorizationChange; guard: ChangeGuard } {
  const { seals, dialect, clientId } = session;
  const rows = group.map(({ claim, pair }) => {
    const { authorizationId: id, spentVersion } = claim;
    const refreshToken = pair.refreshToken ?? claim.refreshToken;
    const sealed = seals.seal({ id, clientId, version: spentVersion + 1 }, { ...pair, refreshToken });
    return { id, spentVersion, pair, sealed };
  });
  const access = caseOf(
    'access',
    rows.map(({ id, sealed }) => [id, sealed.sealedAccessToken]),
  );
  const refresh = caseOf(
    'refresh',
    rows.map(({ id, sealed }) => [id, sealed.sealedRefreshToken]),
  );
  const kept = caseOf(
    'kept',
    rows.map(({ id, pair }) => [id, () => (pair.refreshToken === null ? 'TRUE' : 'FALSE')]),
  );
  const expires = caseOf(
    'expires',
    rows.map(({ id, pair: { expiresInMs } }) => [
      id,
      expiresInMs === null ? null : () => fromNow(dialect, expiresInMs),
    ]),
  );
  const spent = caseOf(
    'spent',
    rows.map(({ id, spentVersion }) => [id, spentVersion]),
  );
  const isLasting = rows.every(({ pair }) => pair.expiresInMs === null);
  return {
    change: {
      ...activeRow(dialect),
      sealedAccessToken: () => access.sql,
      sealedRefreshToken: () => refresh.sql,
      keyId: rows[0]?.sealed.keyId ?? null,
      refreshTokenKept: () => kept.sql,
      accessTokenExpiresAt: isLasting ? null : () => expires.sql,
      version: () => 'version + 1',
    },
    guard: {
      guard: `version = ${spent.sql}`,
      parameters: [access, refresh, kept, expires, spent].reduce(
        (all, { parameters }) => ({ ...all, ...parameters }),
        {},
      ),
    },
  };
}
