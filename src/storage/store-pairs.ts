import type { ObjectLiteral } from 'typeorm';
import type { AttemptEnding, Claim, StoreVerdict } from '../domain/authorization-store.js';
import type { AuthorizationId, TokenPair } from '../domain/authorization.js';
import type { Secret } from '../domain/secret.js';
import { journalSuccesses } from './attempt-journal.js';
import { updateAuthorizations, type AuthorizationChange, type ChangeGuard } from './authorization-changes.js';
import { lockStandings } from './authorization-rows.js';
import { laterBy, wholeMs } from './database-time.js';
import { addActivations } from './events.js';
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
  const { standings, isGateClosed } = await lockStandings(session, ids);
  const standing = [...first.values()].filter(
    ({ claim }) => standings.get(claim.authorizationId)?.version === claim.spentVersion,
  );
  if (standing.length > 0) {
    await store(session, standing, isGateClosed);
    const ids = standing.map(({ claim }) => claim.authorizationId);
    await addActivations(
      session,
      ids.map((id) => ({ authorizationId: id, before: standings.get(id)!.status })),
    );
  }
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
  const { change, parameters } = newPairs(
    session,
    group.map(({ claim, pair }) => ({
      id: claim.authorizationId,
      version: claim.spentVersion + 1,
      pair,
      refreshToken: pair.refreshToken ?? claim.refreshToken,
    })),
  );
  const spent = rowValues(
    session.dialect,
    'spent',
    'bigint',
    group.map(({ claim }) => [claim.authorizationId, claim.spentVersion]),
  );
  const guard = { guard: `version = ${spent.sql}`, parameters: { ...parameters, ...spent.parameters } };
  return { change, guard };
}

/** A pair for a row, and the version that it becomes there. */
interface NewPair {
  readonly id: AuthorizationId;
  readonly version: number;
  readonly pair: TokenPair;
  /** That of the pair, or the one that is kept where Notion gave none. */
  readonly refreshToken: Secret | null;
}

/** What rows become when a pair of its own is stored on each, whatever they were before. */
export function newPairs(
  session: StoreSession,
  pairs: readonly NewPair[],
): { change: AuthorizationChange; parameters: ObjectLiteral } {
  const { seals, dialect, clientId } = session;
  const rows = pairs.map(({ id, version, pair, refreshToken }) => {
    const sealed = seals.seal({ id, clientId, version }, { ...pair, refreshToken });
    return { id, version, pair, sealed };
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
  const next = each('next', 'bigint', ({ version }) => version);
  return {
    change: {
      ...activeRow(dialect),
      sealedAccessToken: () => access.sql,
      sealedRefreshToken: () => refresh.sql,
      keyId: rows[0]?.sealed.keyId ?? null,
      refreshTokenKept: () => kept.sql,
      accessTokenExpiresAt: () => laterBy(dialect, lifetime.sql),
      version: () => next.sql,
    },
    parameters: Object.assign(
      {},
      ...[access, refresh, kept, lifetime, next].map(({ parameters }) => parameters),
    ) as ObjectLiteral,
  };
}
