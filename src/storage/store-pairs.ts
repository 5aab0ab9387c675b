import type { ObjectLiteral } from 'typeorm';
import type { AttemptEnding, Claim, StoreVerdict } from '../domain/authorization-store.js';
import type { TokenPair } from '../domain/authorization.js';
import { journalSuccesses } from './attempt-journal.js';
import { updateAuthorizations, type AuthorizationChange, type ChangeGuard } from './authorization-changes.js';
import { lockVersions } from './authorization-rows.js';
import { laterBy, wholeMs } from './database-time.js';
import { isAuthorizationId } from './identifiers.js';
import { gatesOpenedBy, openGates } from './refresh-gates.js';
import { rowValues, type RowType, type RowValue } from './row-values.js';
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
  const { versions, isGateClosed } = await lockVersions(session, ids);
  const standing = [...first.values()].filter(
    ({ claim }) => versions.get(claim.authorizationId) === claim.spentVersion,
  );
  if (standing.length > 0) await store(session, standing, isGateClosed);
  return new Map(standing.map((one) => [one, { stored: true, version: one.claim.spentVersion + 1 }]));
}

async function store(
  session: StoreSession,
  group: readonly PairToStore[],
  isGateClosed: boolean,
): Promise<void> {
  const ids = group.map(({ claim }) => claim.authorizationId);
  const { change, guard } = pairsPerRow(session, group);
  if ((await updateAuthorizations(session, ids, change, guard)) !== group.length) {
    throw new Error('A row that was locked to be stored has changed.');
  }
  await journalSuccesses(
    session,
    group.map(({ claim, ending }) => ({ attemptId: claim.attemptId, ending })),
  );
  if (!isGateClosed) return;
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
  const each = (name: string, type: RowType, valueOf: (row: (typeof rows)[number]) => RowValue) =>
    rowValues(
      dialect,
      name,
      type,
      rows.map((row) => [row.id, valueOf(row)]),
    );
  const access = each('access', 'text', ({ sealed }) => sealed.sealedAccessToken);
  const refresh = each('refresh', 'text', ({ sealed }) => sealed.sealedRefreshToken);
  const kept = each('kept', 'boolean', ({ pair }) => pair.refreshToken === null);
  const lifetime = each('lifetime', 'bigint', ({ pair: { expiresInMs } }) =>
    expiresInMs === null ? null : wholeMs(expiresInMs),
  );
  const spent = each('spent', 'bigint', ({ spentVersion }) => spentVersion);
  return {
    change: {
      ...activeRow(dialect),
      sealedAccessToken: () => access.sql,
      sealedRefreshToken: () => refresh.sql,
      keyId: rows[0]?.sealed.keyId ?? null,
      refreshTokenKept: () => kept.sql,
      accessTokenExpiresAt: () => laterBy(dialect, lifetime.sql),
      version: () => 'version + 1',
    },
    guard: {
      guard: `version = ${spent.sql}`,
      parameters: Object.assign(
        {},
        ...[access, refresh, kept, lifetime, spent].map(({ parameters }) => parameters),
      ) as ObjectLiteral,
    },
  };
}
