import type { SelectQueryBuilder } from 'typeorm';
import type { StoredAccessToken, VersionedAuthorization } from '../domain/authorization-store.js';
import type { Authorization, AuthorizationId } from '../domain/authorization.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { readRow } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { toAuthorization } from './authorization.mapper.js';
import { isAuthorizationId, isOfClient } from './identifiers.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
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

export async function readVersions(
  { manager, clientId }: StoreSession,
  ids: readonly AuthorizationId[],
): Promise<readonly VersionedAuthorization[]> {
  const possible = ids.filter(isAuthorizationId);
  if (possible.length === 0) return [];
  return manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .select(['a.id', 'a.version'])
    .where(`${isOfClient('a.clientId')} AND a.id IN (:...possible)`, { clientId, possible })
    .getMany();
}

/** Told by the row itself, or, for an attempt whose process fell silent, by the journal: both lists are short. */
export async function listUnresolved(
  session: StoreSession,
  limit: number,
): Promise<readonly VersionedAuthorization[]> {
  const told = await unresolvedRows(session, limit).andWhere('a.unresolvedSince IS NOT NULL').getMany();
  const silent = await unresolvedRows(session, limit)
    .innerJoin(RefreshAttemptEntity, 't', 't.authorizationId = a.id AND t.id = a.attemptId')
    .andWhere('t.clientId = :clientId AND t.endedAt IS NULL AND a.unresolvedSince IS NULL')
    .getMany();
  const since = (row: AuthorizationEntity) => row.unresolvedSince ?? row.attemptStartedAt ?? 0;
  return [...told, ...silent]
    .sort((one, other) => since(one) - since(other))
    .slice(0, limit)
    .map(({ id, version }) => ({ id, version }));
}

function unresolvedRows(
  { manager, dialect, clientId }: StoreSession,
  limit: number,
): SelectQueryBuilder<AuthorizationEntity> {
  return manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .select(['a.id', 'a.version', 'a.unresolvedSince', 'a.attemptStartedAt'])
    .where(`a.clientId = :clientId AND a.status = 'active' AND a.attemptId IS NOT NULL`, { clientId })
    .andWhere(`a.leaseUntil <= ${dialect.now}`)
    .andWhere(`(a.nextAttemptAt IS NULL OR a.nextAttemptAt <= ${dialect.now})`)
    .orderBy('COALESCE(a.unresolvedSince, a.attemptStartedAt)')
    .addOrderBy('a.id')
    .limit(limit);
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

/** Rows with `has_refresh_token` selected beside them. */
export async function authorizations(
  rows: SelectQueryBuilder<AuthorizationEntity>,
): Promise<Authorization[]> {
  const { entities, raw } = await rows.getRawAndEntities<{ has_refresh_token: string | number }>();
  return entities.map((row, index) => toAuthorization(row, Number(raw[index]?.has_refresh_token) === 1));
}
