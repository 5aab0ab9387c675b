import type { RollForwardVerdict } from '../domain/authorization-store.js';
import type { RetainedChange, RetainedDisconnect, RetainedPair } from '../domain/retained-change.js';
import { journalSuccess } from './attempt-journal.js';
import { updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { lockRow } from './authorization-rows.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import { erasure } from './disconnect.js';
import { storedPair } from './store-pair.js';
import type { StoreSession } from './store-session.js';

/** T13. Whatever attempt stands on the row was made for a pair that is older than the retained one. */
export async function rollForwardRow(
  session: StoreSession,
  retained: RetainedChange,
): Promise<RollForwardVerdict> {
  const found = await lockRow(session, retained.authorizationId);
  if (found === null) return 'not_found';
  const rolled = await (retained.kind === 'pair'
    ? rollPairForward(session, found.row, retained)
    : rollDisconnectForward(session, retained));
  return rolled ? 'rolled_forward' : 'up_to_date';
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
  const rolled = await writeBehind(session, row.id, version, {
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
  const rolled = await writeBehind(session, authorizationId, version, {
    ...erasure(session.dialect),
    version,
  });
  if (rolled) await unlinkEverybody(session, authorizationId);
  return rolled;
}

/** Never over a higher version, and a disconnect never comes undone. */
function writeBehind(
  session: StoreSession,
  id: string,
  version: number,
  change: AuthorizationChange,
): Promise<boolean> {
  return updateAuthorization(session, id, change, {
    guard: `version < :retained AND status <> 'revoked'`,
    parameters: { retained: version },
  });
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
