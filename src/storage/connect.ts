import { randomUUID } from 'node:crypto';
import type { ConnectResult, NewConnection } from '../domain/authorization-store.js';
import type { Authorization, AuthorizationId, NotionGrant } from '../domain/authorization.js';
import type { Secret } from '../domain/secret.js';
import { NO_ATTEMPT, updateAuthorization, type AuthorizationChange } from './authorization-changes.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { findAuthorization } from './authorization-queries.js';
import { isLinked, lockRowOfBot, lockRowOfGrant, type RowAtInstant } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { isRefused } from './claim.js';
import { versionOfUserChange } from './database-timeline.js';
import type { Dialect } from './dialect.js';
import { addActivations } from './events.js';
import { takeBackRevocations } from './revocations.js';
import { pairTimes } from './store-pair.js';
import type { StoreSession } from './store-session.js';

/** T11. Two connects of one grant may race: the unique key refuses the second, which then looks again. */
export async function connectGrant(session: StoreSession, connection: NewConnection): Promise<ConnectResult> {
  const standing = await standingRow(session, connection.grant);
  if (connection.reconnect !== null && !(await comesBackAs(session, connection, standing?.row.id))) {
    return { kind: 'other_grant' };
  }
  const id = standing?.row.id ?? randomUUID();
  await (standing === null ? insert(session, id, connection) : renew(session, standing, connection));
  await link(session, id, connection.ownerId);
  await addActivations(session, [{ authorizationId: id, before: standing?.row.status ?? null }]);
  const authorization = await connected(session, id);
  return { kind: standing === null ? 'connected' : 'reconnected', authorization };
}

/** The row of this grant: by bot id, else the same person in the same workspace. */
async function standingRow(session: StoreSession, grant: NotionGrant): Promise<RowAtInstant | null> {
  const { workspaceId, ownerUserId } = grant;
  return (
    (await lockRowOfBot(session, grant.botId)) ??
    (ownerUserId === null ? null : await lockRowOfGrant(session, { workspaceId, ownerUserId }))
  );
}

async function comesBackAs(
  session: StoreSession,
  { reconnect, ownerId }: NewConnection,
  standingId: AuthorizationId | undefined,
): Promise<boolean> {
  return reconnect !== null && standingId === reconnect && (await isLinked(session, reconnect, ownerId));
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

async function renew(session: StoreSession, found: RowAtInstant, connection: NewConnection): Promise<void> {
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
function freshStart(dialect: Dialect, { pair }: NewConnection): AuthorizationChange {
  return {
    ...NO_ATTEMPT,
    ...pairTimes(dialect, pair),
    status: 'active',
    reason: null,
    refusedRefreshTokenFingerprint: null,
  };
}

async function link(session: StoreSession, authorizationId: AuthorizationId, ownerId: string): Promise<void> {
  if (await isLinked(session, authorizationId, ownerId)) return;
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
