import type { SelectQueryBuilder } from 'typeorm';
import type { DueAuthorization, StoredAccessToken } from '../domain/authorization-store.js';
import type { Authorization, AuthorizationId } from '../domain/authorization.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { readRow } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { toAuthorization } from './authorization.mapper.js';
import { fromNow } from './database-time.js';
import { isAuthorizationId } from './identifiers.js';
import type { StoreSession } from './store-session.js';

export async function findAuthorization(
  session: StoreSession,
  id: AuthorizationId,
): Promise<Authorization | null> {
  if (!isAuthorizationId(id)) return null;
  return (await authorizations(openRows(session).andWhere('a.id = :id', { id })))[0] ?? null;
}

export async function findForOwner(
  session: StoreSession,
  id: AuthorizationId,
  ownerId: string,
): Promise<Authorization | null> {
  if (!isAuthorizationId(id)) return null;
  return (await authorizations(linkedRows(session, ownerId).andWhere('a.id = :id', { id })))[0] ?? null;
}

export async function listForOwner(
  session: StoreSession,
  ownerId: string,
): Promise<readonly Authorization[]> {
  return authorizations(linkedRows(session, ownerId).orderBy('a.createdAt').addOrderBy('a.id'));
}

export async function readAccessToken(
  session: StoreSession,
  id: AuthorizationId,
): Promise<StoredAccessToken | null> {
  const found = await readRow(session, id);
  if (found === null) return null;
  const { row, nowMs } = found;
  return {
    status: row.status,
    reason: row.reason,
    version: row.version,
    ageMs: nowMs - row.pairStoredAt,
    expiresInMs: row.accessTokenExpiresAt === null ? null : row.accessTokenExpiresAt - nowMs,
    token: session.seals.accessToken(row),
  };
}

/** Rows that somebody is renewing, or that Notion asked to leave alone for a while, are not due. */
export async function listDue(
  { manager, dialect, clientId }: StoreSession,
  { olderThanMs, limit }: { readonly olderThanMs: number; readonly limit: number },
): Promise<readonly DueAuthorization[]> {
  const { now } = dialect;
  const rows = await manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .select(['a.id', 'a.version', 'a.pairStoredAt'])
    .where(`a.clientId = :clientId AND a.status = 'active' AND a.sealedRefreshToken IS NOT NULL`, {
      clientId,
    })
    .andWhere(`a.pairStoredAt <= ${fromNow(dialect, -olderThanMs)}`)
    .andWhere(`(a.leaseUntil IS NULL OR a.leaseUntil <= ${now})`)
    .andWhere(`(a.nextAttemptAt IS NULL OR a.nextAttemptAt <= ${now})`)
    .orderBy('a.pairStoredAt')
    .addOrderBy('a.id')
    .limit(limit)
    .getMany();
  return rows.map(({ id, version }) => ({ id, version }));
}

function openRows({ manager, clientId }: StoreSession): SelectQueryBuilder<AuthorizationEntity> {
  return manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .addSelect('CASE WHEN a.sealedRefreshToken IS NULL THEN 0 ELSE 1 END', 'has_refresh_token')
    .where('a.clientId = :clientId', { clientId });
}

function linkedRows(session: StoreSession, ownerId: string): SelectQueryBuilder<AuthorizationEntity> {
  return openRows(session).innerJoin(
    AuthorizationOwnerEntity,
    'o',
    'o.authorizationId = a.id AND o.ownerId = :ownerId',
    { ownerId },
  );
}

async function authorizations(rows: SelectQueryBuilder<AuthorizationEntity>): Promise<Authorization[]> {
  const { entities, raw } = await rows.getRawAndEntities<{ has_refresh_token: string | number }>();
  return entities.map((row, index) => toAuthorization(row, Number(raw[index]?.has_refresh_token) === 1));
}
