import type { RollForwardVerdict } from '../domain/authorization-store.js';
import type { RetainedChange, RetainedDisconnect, RetainedPair } from '../domain/retained-change.js';
import type { Secret } from '../domain/secret.js';
import { journalSuccess } from './attempt-journal.js';
import { updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { lockRow } from './authorization-rows.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { erasure } from './disconnect.js';
import { storedPair } from './store-pair.js';
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
  const erased = retained.kind === 'disconnect' ? tokensOf(session, row) : [];
  const rolled = await (retained.kind === 'pair'
    ? rollPairForward(session, row, retained)
    : rollDisconnectForward(session, retained));
  if (rolled) return { kind: 'rolled_forward', erased };
  return { kind: 'up_to_date', version: row.version, status: row.status };
}

/** What a forgotten disconnect had revoked may live again in the row: whoever put the disconnect back revokes it. */
function tokensOf({ seals }: StoreSession, row: AuthorizationEntity): Secret[] {
  const tokens = [
    seals.unlessKeyIsLost(() => seals.accessToken(row)),
    seals.unlessKeyIsLost(() => seals.refreshToken(row)),
  ];
  return tokens.filter((token) => token !== null);
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
