import type { RollForwardVerdict } from '../domain/authorization-store.js';
import type { RetainedChange, RetainedDisconnect, RetainedPair } from '../domain/retained-change.js';
import type { PendingRevocation } from '../domain/revocation-outbox.js';
import type { Secret } from '../domain/secret.js';
import { journalSuccess, journalSuccesses } from './attempt-journal.js';
import {
  updateAuthorization,
  updateAuthorizations,
  type AuthorizationChange,
} from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { lockRow, lockStandings } from './authorization-rows.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { erasure } from './disconnect.js';
import { addActivations } from './events.js';
import { isAuthorizationId } from './identifiers.js';
import { addRevocations, takeBackRevocations } from './revocations.js';
import { rowValues } from './row-values.js';
import { storedPair } from './store-pair.js';
import { newPairs } from './store-pairs.js';
import type { StoreSession } from './store-session.js';

/** Never over a higher version. */
const BEHIND = 'version < :retained';

/** T13. Whatever attempt stands on the row was made for a pair that is older than the retained one. */
export async function rollForwardRow(
  session: StoreSession,
  retained: RetainedChange,
): Promise<RollForwardVerdict> {
  const found = await lockRow(session, retained.authorizationId);
  if (found === null) return { kind: 'not_found' };
  const { row } = found;
  return retained.kind === 'pair' ? rollPair(session, row, retained) : rollDisconnect(session, row, retained);
}

/**
 * T13 for many: refreshed pairs whose rows are behind and not disconnected. The others have no answer here and are
 * looked at one by one.
 */
export async function rollForwardRows(
  session: StoreSession,
  group: readonly RetainedChange[],
): Promise<ReadonlyMap<RetainedChange, RollForwardVerdict>> {
  const refreshed = newestOfEach(group.filter(isRefreshedPair));
  const ids = refreshed.map(({ authorizationId }) => authorizationId).filter(isAuthorizationId);
  const { standings } = await lockStandings(session, ids);
  const behind = refreshed.filter(({ authorizationId, version }) => {
    const standing = standings.get(authorizationId);
    return standing !== undefined && standing.version < version && standing.status !== 'revoked';
  });
  if (behind.length > 0) {
    await rollPairs(session, behind);
    const ids = behind.map(({ authorizationId }) => authorizationId);
    await addActivations(
      session,
      ids.map((id) => ({ authorizationId: id, before: standings.get(id)!.status })),
    );
  }
  return new Map(behind.map((retained) => [retained, { kind: 'rolled_forward', revocations: [] }]));
}

/** With all that a single one needs to ask the row for taken out. */
type RefreshedPair = RetainedPair & { readonly attemptId: string };

function isRefreshedPair(change: RetainedChange): change is RefreshedPair {
  return change.kind === 'pair' && change.attemptId !== null && change.pair.refreshToken !== null;
}

function newestOfEach(pairs: readonly RefreshedPair[]): readonly RefreshedPair[] {
  const byAge = pairs.toSorted((one, other) => one.version - other.version);
  return [...new Map(byAge.map((pair) => [pair.authorizationId, pair])).values()];
}

async function rollPairs(session: StoreSession, group: readonly RefreshedPair[]): Promise<void> {
  const ids = group.map(({ authorizationId }) => authorizationId);
  const { change, parameters } = newPairs(
    session,
    group.map(({ authorizationId: id, version, pair }) => ({
      id,
      version,
      pair,
      refreshToken: pair.refreshToken,
    })),
  );
  const retained = rowValues(
    session.dialect,
    'retained',
    'bigint',
    group.map(({ authorizationId, version }) => [authorizationId, version]),
  );
  const written = await updateAuthorizations(session, ids, change, {
    guard: `version < ${retained.sql} AND status <> 'revoked'`,
    parameters: { ...parameters, ...retained.parameters },
  });
  if (written !== group.length) throw new Error('A row that was locked to be rolled forward has changed.');
  await journalSuccesses(
    session,
    group.map(({ attemptId }) => ({ attemptId, ending: { outcome: 'success' } })),
  );
  await takeBackRevocations(session, ...ids);
}

async function rollPair(
  session: StoreSession,
  row: AuthorizationEntity,
  retained: RetainedPair,
): Promise<RollForwardVerdict> {
  if (await rollPairForward(session, row, retained)) {
    await takeBackRevocations(session, row.id);
    await addActivations(session, [{ authorizationId: row.id, before: row.status }]);
    return { kind: 'rolled_forward', revocations: [] };
  }
  const { accessToken, refreshToken } = retained.pair;
  const unused = row.status === 'revoked' ? [accessToken, refreshToken] : [];
  return upToDate(row, await addRevocations(session, row.id, unused));
}

async function rollDisconnect(
  session: StoreSession,
  row: AuthorizationEntity,
  retained: RetainedDisconnect,
): Promise<RollForwardVerdict> {
  const tokens = tokensOf(session, row);
  if (!(await rollDisconnectForward(session, retained))) return upToDate(row, []);
  return { kind: 'rolled_forward', revocations: await addRevocations(session, row.id, tokens) };
}

function upToDate(
  { version, status }: AuthorizationEntity,
  revocations: readonly PendingRevocation[],
): RollForwardVerdict {
  return { kind: 'up_to_date', version, status, revocations };
}

/** What a forgotten disconnect had revoked may live again in the row, and the failover may have taken its outbox too. */
function tokensOf({ seals }: StoreSession, row: AuthorizationEntity): readonly (Secret | null)[] {
  return [
    seals.unlessKeyIsLost(() => seals.accessToken(row)),
    seals.unlessKeyIsLost(() => seals.refreshToken(row)),
  ];
}

async function rollPairForward(
  session: StoreSession,
  row: AuthorizationEntity,
  { version, pair, attemptId }: RetainedPair,
): Promise<boolean> {
  const { accessToken, refreshToken, expiresInMs } = pair;
  const kept = refreshToken ?? session.seals.unlessKeyIsLost(() => session.seals.refreshToken(row));
  const change = storedPair(
    session,
    { id: row.id, version },
    { accessToken, refreshToken: kept, expiresInMs },
  );
  // A refresh never brings back what somebody disconnected; a connect made after the disconnect does.
  const guard = attemptId === null ? BEHIND : `${BEHIND} AND status <> 'revoked'`;
  const rolled = await writeBehind(session, row.id, version, guard, {
    ...change,
    refreshTokenKept: refreshToken === null && kept !== null,
  });
  if (rolled && attemptId !== null) await journalSuccess(session, attemptId, { outcome: 'success' });
  return rolled;
}

async function rollDisconnectForward(
  session: StoreSession,
  { authorizationId, version }: RetainedDisconnect,
): Promise<boolean> {
  const rolled = await writeBehind(session, authorizationId, version, BEHIND, {
    ...erasure(session.dialect),
    version,
  });
  if (rolled) await unlinkEverybody(session, authorizationId);
  return rolled;
}

function writeBehind(
  session: StoreSession,
  id: string,
  version: number,
  guard: string,
  change: AuthorizationChange,
): Promise<boolean> {
  return updateAuthorization(session, id, change, { guard, parameters: { retained: version } });
}

/** It was the last owner who left; the failover brought the link back as well. */
async function unlinkEverybody({ manager }: StoreSession, id: string): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(AuthorizationOwnerEntity)
    .where('authorization_id = :id', { id })
    .callListeners(false)
    .execute();
}
