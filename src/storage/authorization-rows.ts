import type { SelectQueryBuilder } from 'typeorm';
import type { AuthorizationId, AuthorizationStatus } from '../domain/authorization.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { boundFromNow } from './database-time.js';
import { isAmongIds, isAuthorizationId, isOfClient } from './identifiers.js';
import { RefreshGateEntity } from './refresh-gate.entity.js';
import type { StoreSession } from './store-session.js';

/** A row with its sealed tokens, and the database's clock when it was read. */
export interface RowAtInstant {
  readonly row: AuthorizationEntity;
  readonly nowMs: number;
}

export async function readRow(session: StoreSession, id: AuthorizationId): Promise<RowAtInstant | null> {
  if (!isAuthorizationId(id)) return null;
  return oneRow(sealedRows(session).andWhere('a.id = :id', { id }));
}

/** As {@link readRow}, and nobody else changes the row before this transaction ends. */
export async function lockRow(session: StoreSession, id: AuthorizationId): Promise<RowAtInstant | null> {
  if (!isAuthorizationId(id)) return null;
  return oneRow(locking(session, sealedRows(session).andWhere('a.id = :id', { id })));
}

/** As {@link lockRow}, but does not wait for a transaction that holds the row, where the engine can pass it over. */
export async function lockRowIfFree(
  session: StoreSession,
  id: AuthorizationId,
): Promise<RowAtInstant | 'locked' | null> {
  if (!isAuthorizationId(id)) return null;
  const found = await oneRow(passingOver(session, sealedRows(session).andWhere('a.id = :id', { id })));
  if (found !== null || !session.dialect.skipsLocked) return found;
  return (await readRow(session, id)) === null ? null : 'locked';
}

/**
 * As {@link lockRow}, if the owner is linked to it. For anybody else's id the same statement finds nothing, as for an
 * unknown one, and locks nothing.
 */
export async function lockRowOfOwner(
  session: StoreSession,
  id: AuthorizationId,
  ownerId: string,
): Promise<RowAtInstant | null> {
  if (!isAuthorizationId(id)) return null;
  const link = session.manager
    .createQueryBuilder(AuthorizationOwnerEntity, 'o')
    .select('1')
    .where('o.authorizationId = a.id AND o.ownerId = :ownerId');
  const rows = sealedRows(session)
    .andWhere('a.id = :id', { id })
    .andWhere(`EXISTS (${link.getQuery()})`, { ownerId });
  return oneRow(locking(session, rows));
}

export async function lockRowOfBot(session: StoreSession, botId: string): Promise<RowAtInstant | null> {
  return oneRow(locking(session, sealedRows(session).andWhere('a.botId = :botId', { botId })));
}

/** The grant of a person in a workspace, whatever bot id it has now; the oldest, should there be several. */
export async function lockRowOfGrant(
  session: StoreSession,
  grant: { readonly workspaceId: string; readonly ownerUserId: string },
): Promise<RowAtInstant | null> {
  const rows = sealedRows(session)
    .andWhere('a.workspaceId = :workspaceId AND a.ownerUserId = :ownerUserId', grant)
    .orderBy('a.createdAt')
    .addOrderBy('a.id')
    .limit(1);
  return oneRow(locking(session, rows));
}

export interface DueRows {
  readonly olderThanMs: number;
  readonly limit: number;
  /** Leaves out more of them. */
  readonly narrow?: (
    rows: SelectQueryBuilder<AuthorizationEntity>,
  ) => SelectQueryBuilder<AuthorizationEntity>;
}

/** Due rows, oldest first, without those that somebody else has locked; nobody else changes them either. */
export async function lockDueRows(
  session: StoreSession,
  { olderThanMs, limit, narrow = (due) => due }: DueRows,
): Promise<readonly RowAtInstant[]> {
  const rows = narrow(onlyDue(sealedRows(session), session, olderThanMs))
    .orderBy('a.pairStoredAt')
    .addOrderBy('a.id')
    .limit(limit);
  return allRows(passingOver(session, rows));
}

/** Those of `rows` (of the alias `a`) whose pair is older, and which nobody holds or has put off. */
export function onlyDue(
  rows: SelectQueryBuilder<AuthorizationEntity>,
  { dialect }: Pick<StoreSession, 'dialect'>,
  olderThanMs: number,
): SelectQueryBuilder<AuthorizationEntity> {
  return rows
    .andWhere(`a.status = 'active' AND a.sealedRefreshToken IS NOT NULL AND a.attemptId IS NULL`)
    .andWhere(`a.pairStoredAt <= ${boundFromNow(dialect, -olderThanMs)}`)
    .andWhere(`(a.leaseUntil IS NULL OR a.leaseUntil <= ${dialect.now})`)
    .andWhere(`(a.nextAttemptAt IS NULL OR a.nextAttemptAt <= ${dialect.now})`);
}

/** What a decision about a locked row rests on. */
export interface RowStanding {
  readonly version: number;
  readonly status: AuthorizationStatus;
}

/**
 * How those rows stand that nobody else holds, locked in the order of their ids; and, for the same round trip,
 * whether any gate of the client is closed.
 */
export async function lockStandings(
  session: StoreSession,
  ids: readonly AuthorizationId[],
): Promise<{ standings: ReadonlyMap<AuthorizationId, RowStanding>; isGateClosed: boolean }> {
  const { manager, clientId } = session;
  if (ids.length === 0) return { standings: new Map(), isGateClosed: false };
  const closedGates = manager
    .createQueryBuilder(RefreshGateEntity, 'g')
    .select('COUNT(*)')
    .where('g.clientId = :clientId AND g.closedUntil IS NOT NULL', { clientId });
  const rows = manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .select('a.id', 'id')
    .addSelect('a.version', 'version')
    .addSelect('a.status', 'status')
    .addSelect(`(${closedGates.getQuery()})`, 'closed_gates')
    .where(`${isOfClient('a.clientId')} AND ${isAmongIds(session.dialect, 'a.id')}`, { clientId, ids })
    .orderBy('a.id');
  const found = await passingOver(session, rows).getRawMany<
    { id: string; status: AuthorizationStatus } & Record<'version' | 'closed_gates', number | string>
  >();
  return {
    standings: new Map(found.map(({ id, version, status }) => [id, { version: Number(version), status }])),
    isGateClosed: found.some(({ closed_gates: closed }) => Number(closed) > 0),
  };
}

export async function isLinked(
  session: StoreSession,
  id: AuthorizationId,
  ownerId: string,
): Promise<boolean> {
  const links = session.manager.createQueryBuilder(AuthorizationOwnerEntity, 'o');
  return (
    (await links.where('o.authorizationId = :id AND o.ownerId = :ownerId', { id, ownerId }).getCount()) > 0
  );
}

function sealedRows({ manager, dialect, clientId }: StoreSession): SelectQueryBuilder<AuthorizationEntity> {
  return manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .addSelect(['a.sealedAccessToken', 'a.sealedRefreshToken'])
    .addSelect(dialect.now, 'now_ms')
    .where('a.clientId = :clientId', { clientId });
}

function locking<T extends object>(
  { dialect }: StoreSession,
  rows: SelectQueryBuilder<T>,
): SelectQueryBuilder<T> {
  return dialect.locksRows ? rows.setLock('pessimistic_write') : rows;
}

/** As {@link locking}, without waiting for rows that somebody else has locked, where the engine can. */
function passingOver<T extends object>(
  session: StoreSession,
  rows: SelectQueryBuilder<T>,
): SelectQueryBuilder<T> {
  const locked = locking(session, rows);
  return session.dialect.skipsLocked ? locked.setOnLocked('skip_locked') : locked;
}

async function oneRow(rows: SelectQueryBuilder<AuthorizationEntity>): Promise<RowAtInstant | null> {
  return (await allRows(rows))[0] ?? null;
}

async function allRows(rows: SelectQueryBuilder<AuthorizationEntity>): Promise<RowAtInstant[]> {
  const { entities, raw } = await rows.getRawAndEntities<{ now_ms: string | number }>();
  return entities.map((row, index) => ({ row, nowMs: Number(raw[index]?.now_ms) }));
}
