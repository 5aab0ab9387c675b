import { randomUUID } from 'node:crypto';
import type { ConnectResult, NewConnection, StoredPlace } from '../domain/authorization-store.js';
import type { Authorization, AuthorizationId, NotionGrant } from '../domain/authorization.js';
import type { Secret } from '../domain/secret.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { findAuthorization, findForOwner } from './authorization-queries.js';
import { isLinked, lockRowOfBot, lockRowOfGrant, type RowAtInstant } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { isRefused } from './claim.js';
import { versionOfUserChange } from './database-timeline.js';
import type { Dialect } from './dialect.js';
import { addActivations } from './events.js';
import { addRevocations, takeBackRevocations } from './revocations.js';
import { pairTimes } from './store-pair.js';
import type { StoreSession } from './store-session.js';

/**
 * T11. Two connects of one grant may race: the unique key rejects the second, which then looks again.
 *
 * A pair may arrive here long after Notion issued it: the database was away, or a journal was replayed. So the pair and
 * the link to the owner are decided one by one, each by the database's clock:
 *
 * - The pair is written unless `granted_at` is as late as the exchange: then the row has it already (and may have
 *   refreshed it since), has one of a later exchange, or was disconnected since. Refreshes do not count. One of an older
 *   pair may have failed because of this very exchange, and Notion may keep only the newest exchange alive.
 * - The owner is linked unless they were not linked any more and an owner left since. Whether it was this one is not
 *   known; linking an owner who left would be worse than asking another one to connect again.
 * - Only a pair that came before a disconnect is revoked (R19). Every other pair that is not stored is left alone,
 *   because revoking it might end the newer pair of the same grant.
 */
export async function connectGrant(session: StoreSession, connection: NewConnection): Promise<ConnectResult> {
  const standing = await standingRow(session, connection.grant);
  const isOther = connection.reconnect !== null && connection.reconnect !== standing?.row.id;
  if (isOther) return keepOtherGrant(session, standing, connection);
  if (standing === null) return insertNew(session, connection);
  const { row } = standing;
  const isOwners = await isLinked(session, row.id, connection.ownerId);
  if (hasLeft(standing, connection, isOwners)) return keepAfterLeaving(session, standing, connection);
  const stored = await renewUnlessOutdated(session, standing, connection);
  if (!isOwners) await link(session, row.id, connection.ownerId);
  return { kind: 'reconnected', authorization: await connected(session, row.id), stored };
}

async function insertNew(session: StoreSession, connection: NewConnection): Promise<ConnectResult> {
  const id = randomUUID();
  await insert(session, id, connection);
  await link(session, id, connection.ownerId);
  await addActivations(session, [{ authorizationId: id, before: null }]);
  const authorization = await connected(session, id);
  return {
    kind: 'connected',
    authorization,
    stored: { authorizationId: id, version: authorization.version },
  };
}

/**
 * The exchange may have ended the pair that this grant had before, with any owner linked to it: the new pair keeps it alive
 * for them. It links no owner and brings nothing back that was disconnected.
 */
async function keepOtherGrant(
  session: StoreSession,
  standing: RowAtInstant | null,
  connection: NewConnection,
): Promise<ConnectResult> {
  const { reconnect, ownerId } = connection;
  const expected = reconnect === null ? null : await findForOwner(session, reconnect, ownerId);
  if (standing === null || standing.row.status === 'revoked') {
    return { kind: 'other_grant', expected, renewed: null, stored: null };
  }
  const stored = await renewUnlessOutdated(session, standing, connection);
  const renewed = await findForOwner(session, standing.row.id, ownerId);
  return { kind: 'other_grant', expected, renewed, stored };
}

/** A reconnect was begun by an owner who was linked. */
function hasLeft(standing: RowAtInstant, connection: NewConnection, isOwners: boolean): boolean {
  const { row, nowMs } = standing;
  if (row.status === 'revoked' && isOutdated(standing, connection)) return true;
  if (isOwners) return false;
  return connection.reconnect !== null || isSince(row.ownerLeftAt, connection.exchangedAtMs, nowMs);
}

async function keepAfterLeaving(
  session: StoreSession,
  standing: RowAtInstant,
  connection: NewConnection,
): Promise<ConnectResult> {
  const { row } = standing;
  if (row.status !== 'revoked') {
    const stored = await renewUnlessOutdated(session, standing, connection);
    return { kind: 'disconnected', stored, revocations: [] };
  }
  const { accessToken, refreshToken } = connection.pair;
  const unused = isOutdated(standing, connection) ? [accessToken, refreshToken] : [];
  return {
    kind: 'disconnected',
    stored: null,
    revocations: await addRevocations(session, row.id, unused),
  };
}

async function renewUnlessOutdated(
  session: StoreSession,
  standing: RowAtInstant,
  connection: NewConnection,
): Promise<StoredPlace | null> {
  const { row } = standing;
  if (isOutdated(standing, connection)) return null;
  const version = await renew(session, standing, connection);
  await addActivations(session, [{ authorizationId: row.id, before: row.status }]);
  return { authorizationId: row.id, version };
}

/** Equal means: this very exchange. */
function isOutdated({ row, nowMs }: RowAtInstant, { exchangedAtMs }: NewConnection): boolean {
  return row.grantedAt === exchangedAtMs || isSince(row.grantedAt, exchangedAtMs, nowMs);
}

/** A time after the database's now is of a clock that went back since: nothing can be told by it. */
function isSince(eventAtMs: number | null, exchangedAtMs: number | undefined, nowMs: number): boolean {
  if (eventAtMs === null || exchangedAtMs === undefined) return false;
  return eventAtMs >= exchangedAtMs && eventAtMs <= nowMs;
}

/** The row of this grant: by bot id, else the same person in the same workspace. */
async function standingRow(session: StoreSession, grant: NotionGrant): Promise<RowAtInstant | null> {
  const { workspaceId, ownerUserId } = grant;
  return (
    (await lockRowOfBot(session, grant.botId)) ??
    (ownerUserId === null ? null : await lockRowOfGrant(session, { workspaceId, ownerUserId }))
  );
}

async function insert(session: StoreSession, id: AuthorizationId, connection: NewConnection): Promise<void> {
  const { manager, clientId, dialect } = session;
  const pairOfRow = { id, clientId, version: 1 };
  await manager
    .createQueryBuilder()
    .insert()
    .into(AuthorizationEntity)
    .values({
      ...pairOfRow,
      ...grantColumns(connection),
      ...session.seals.seal(pairOfRow, connection.pair),
      ...freshStart(dialect, connection),
      duplicatedTemplateId: connection.grant.duplicatedTemplateId,
      statusSince: () => dialect.now,
      refreshTokenKept: false,
      createdAt: () => dialect.now,
      updatedAt: () => dialect.now,
    })
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** @returns the version it is stored as. */
async function renew(session: StoreSession, found: RowAtInstant, connection: NewConnection): Promise<number> {
  const { row } = found;
  const { now } = session.dialect;
  const { accessToken, refreshToken: given } = connection.pair;
  const refreshToken = given ?? keptRefreshToken(session, row);
  const next = { id: row.id, clientId: row.clientId, version: await versionOfUserChange(session, found) };
  const change: AuthorizationChange = {
    ...grantColumns(connection),
    ...session.seals.seal(next, { accessToken, refreshToken }),
    ...freshStart(session.dialect, connection),
    // Notion names the duplicated template once, on the first exchange.
    duplicatedTemplateId: connection.grant.duplicatedTemplateId ?? row.duplicatedTemplateId,
    version: next.version,
    refreshTokenKept: given === null && refreshToken !== null,
    ...(row.status === 'active' ? {} : { statusSince: () => now }),
  };
  await updateAuthorization(session, row.id, change, {
    guard: 'version = :version',
    parameters: { version: row.version },
  });
  await takeBackRevocations(session, row.id);
  return next.version;
}

/** A grant that came without a refresh token keeps the stored one, unless Notion refused that or no key opens it. */
function keptRefreshToken(session: StoreSession, row: AuthorizationEntity): Secret | null {
  const { seals } = session;
  const kept = seals.unlessKeyIsLost(() => seals.refreshToken(row));
  return kept !== null && isRefused(session, row, kept) ? null : kept;
}

function grantColumns({ grant, redirectUri }: NewConnection): AuthorizationChange {
  return {
    botId: grant.botId,
    workspaceId: grant.workspaceId,
    workspaceName: withoutNul(grant.workspaceName),
    workspaceIcon: withoutNul(grant.workspaceIcon),
    ownerKind: grant.ownerKind,
    ownerUserId: grant.ownerUserId,
    redirectUri,
  };
}

/** What Notion has just handed out counts as good, whatever was refused before. */
function freshStart(dialect: Dialect, { pair, exchangedAtMs }: NewConnection): AuthorizationChange {
  return {
    grantedAt: exchangedAtMs ?? (() => dialect.now),
    ...NO_ATTEMPT,
    ...pairTimes(dialect, pair),
    status: 'active',
    reason: null,
    refusedRefreshTokenFingerprint: null,
  };
}

async function link(session: StoreSession, authorizationId: AuthorizationId, ownerId: string): Promise<void> {
  await session.manager
    .createQueryBuilder()
    .insert()
    .into(AuthorizationOwnerEntity)
    .values({ authorizationId, ownerId, linkedAt: () => session.dialect.now })
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

async function connected(session: StoreSession, id: AuthorizationId): Promise<Authorization> {
  const authorization = await findAuthorization(session, id);
  if (authorization === null) throw new Error(`Authorization ${id} vanished while it was being connected.`);
  return authorization;
}

/** PostgreSQL keeps no NUL in a text, and a person's workspace name must not be able to break the connect. */
function withoutNul(text: string | null): string | null {
  return text === null ? null : text.replaceAll('\0', '');
}
