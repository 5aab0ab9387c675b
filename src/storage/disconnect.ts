import type { DisconnectResult } from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { lockRowOfOwner, type RowAtInstant } from './authorization-rows.js';
import { versionOfUserChange } from './database-timeline.js';
import type { Dialect } from './dialect.js';
import { addEvent } from './events.js';
import { addRevocations } from './revocations.js';
import type { StoreSession } from './store-session.js';

/**
 * T12: the last owner's leaving erases the secrets and moves the version, so no late pair brings them back. In the same
 * transaction they go, sealed anew, to the outbox: a crash before Notion is told must not leave them alive there.
 */
export async function disconnectOwner(
  session: StoreSession,
  id: AuthorizationId,
  ownerId: string,
): Promise<DisconnectResult> {
  const found = await lockRowOfOwner(session, id, ownerId);
  if (found === null || !(await unlink(session, id, ownerId))) return { kind: 'not_found' };
  if (await hasOwners(session, id)) {
    await noteOwnerLeft(session, id);
    return { kind: 'unlinked' };
  }
  const erased = await erase(session, found);
  await addEvent(session, { name: 'disconnected', authorizationId: id, ownerId });
  return erased;
}

async function erase(session: StoreSession, found: RowAtInstant): Promise<DisconnectResult> {
  const { row } = found;
  const { seals, dialect } = session;
  // A lost key must not keep a person from leaving.
  const accessToken = seals.unlessKeyIsLost(() => seals.accessToken(row));
  const refreshToken = seals.unlessKeyIsLost(() => seals.refreshToken(row));
  const version = await versionOfUserChange(session, found);
  await updateAuthorization(
    session,
    row.id,
    { ...erasure(dialect), version },
    { guard: 'version = :version', parameters: { version: row.version } },
  );
  const revocations = await addRevocations(session, row.id, [accessToken, refreshToken]);
  return { kind: 'disconnected', version, revocations };
}

export function erasure({ now }: Dialect): AuthorizationChange {
  return {
    ...NO_ATTEMPT,
    sealedAccessToken: null,
    sealedRefreshToken: null,
    keyId: null,
    refreshTokenKept: false,
    accessTokenExpiresAt: null,
    refusedRefreshTokenFingerprint: null,
    status: 'revoked',
    reason: null,
    statusSince: () => now,
    grantedAt: () => now,
    ownerLeftAt: () => now,
  };
}

/** What this owner had exchanged before and is not stored yet must not link them again. */
async function noteOwnerLeft(session: StoreSession, id: AuthorizationId): Promise<void> {
  const change = { ownerLeftAt: () => session.dialect.now };
  await updateAuthorization(session, id, change, { guard: '1 = 1', parameters: {} });
}

async function unlink({ manager }: StoreSession, id: AuthorizationId, ownerId: string): Promise<boolean> {
  const removed = await manager
    .createQueryBuilder()
    .delete()
    .from(AuthorizationOwnerEntity)
    .where('authorization_id = :id AND owner_id = :ownerId', { id, ownerId })
    .callListeners(false)
    .execute();
  return removed.affected === 1;
}

async function hasOwners({ manager }: StoreSession, id: AuthorizationId): Promise<boolean> {
  const links = manager.createQueryBuilder(AuthorizationOwnerEntity, 'o');
  return (await links.where('o.authorizationId = :id', { id }).getCount()) > 0;
}
