import { randomUUID } from 'node:crypto';
import type { AuthorizationId } from '../domain/authorization.js';
import type { ClaimedEvent, NoticedEvent } from '../domain/event-outbox.js';
import type { NotionEventName } from '../domain/notion-event.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { fromNow } from './database-time.js';
import { EventEntity } from './event.entity.js';
import type { StoreSession } from './store-session.js';

/** Events hold no secret, so moving one needs no seals. */
type EventSession = Pick<StoreSession, 'manager' | 'dialect' | 'clientId'>;

export interface RaisedEvent {
  readonly name: NotionEventName;
  readonly authorizationId?: AuthorizationId | null;
  readonly reason?: string | null;
  readonly ownerId?: string | null;
}

/** In the transaction that makes the change: both are there after a crash, or neither is. */
export async function addEvent(
  session: EventSession,
  raised: RaisedEvent,
  id: string = randomUUID(),
): Promise<void> {
  const { manager, dialect, clientId } = session;
  await manager
    .createQueryBuilder()
    .insert()
    .into(EventEntity)
    .values({
      id,
      clientId,
      name: raised.name,
      authorizationId: raised.authorizationId ?? null,
      reason: raised.reason ?? null,
      ownerId: raised.ownerId ?? null,
      deliveries: 0,
      nextDeliveryAt: () => dialect.now,
      createdAt: () => dialect.now,
    })
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** @returns whether it was not there before. */
export async function addNoticed(session: EventSession, noticed: NoticedEvent): Promise<boolean> {
  const { manager, clientId } = session;
  const known = manager
    .createQueryBuilder(EventEntity, 'e')
    .where('e.id = :id AND e.clientId = :clientId', { id: noticed.id, clientId });
  if ((await known.getCount()) > 0) return false;
  await addEvent(session, noticed, noticed.id);
  return true;
}

export async function claimDueEvents(
  session: EventSession,
  limit: number,
  leaseMs: number,
): Promise<readonly ClaimedEvent[]> {
  const claimed: EventEntity[] = [];
  for (const row of await dueEvents(session, limit)) {
    const taken = await updateAsSeen(session, row, {
      deliveries: row.deliveries + 1,
      nextDeliveryAt: () => fromNow(session.dialect, leaseMs),
    });
    if (taken) claimed.push(row);
  }
  return describeAll(session, claimed);
}

export async function confirmEvent(session: EventSession, { event, delivery }: ClaimedEvent): Promise<void> {
  await updateAsSeen(session, { id: event.id, deliveries: delivery }, { nextDeliveryAt: null });
}

/** Nothing changes when the claim has passed to somebody else. */
export async function postponeEvent(
  session: EventSession,
  { event, delivery }: ClaimedEvent,
  retryInMs: number,
): Promise<void> {
  const due = () => fromNow(session.dialect, retryInMs);
  await updateAsSeen(session, { id: event.id, deliveries: delivery }, { nextDeliveryAt: due });
}

export async function pruneEvents(session: EventSession, olderThanMs: number): Promise<void> {
  const { manager, dialect, clientId } = session;
  await manager
    .createQueryBuilder()
    .delete()
    .from(EventEntity)
    .where('client_id = :clientId', { clientId })
    .andWhere(`created_at <= ${fromNow(dialect, -olderThanMs)}`)
    .callListeners(false)
    .execute();
}

function dueEvents({ manager, dialect, clientId }: EventSession, limit: number): Promise<EventEntity[]> {
  return manager
    .createQueryBuilder(EventEntity, 'e')
    .where(`e.clientId = :clientId AND e.nextDeliveryAt <= ${dialect.now}`, { clientId })
    .orderBy('e.nextDeliveryAt')
    .addOrderBy('e.id')
    .limit(limit)
    .getMany();
}

/** One conditional statement is the claim: of all processes that saw the row due, one changes it. */
async function updateAsSeen(
  { manager, clientId }: EventSession,
  { id, deliveries }: Pick<EventEntity, 'id' | 'deliveries'>,
  change: { readonly deliveries?: number; readonly nextDeliveryAt: (() => string) | null },
): Promise<boolean> {
  const changed = await manager
    .createQueryBuilder()
    .update(EventEntity)
    .set(change)
    .where('id = :id AND client_id = :clientId AND deliveries = :deliveries', { id, clientId, deliveries })
    .andWhere('next_delivery_at IS NOT NULL')
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return changed.affected === 1;
}

/** The rows with what is known of their authorizations now. */
async function describeAll(
  session: EventSession,
  rows: readonly EventEntity[],
): Promise<readonly ClaimedEvent[]> {
  const ids = rows.flatMap(({ authorizationId }) => authorizationId ?? []);
  const [authorizations, owners] =
    ids.length === 0 ? [[], []] : [await authorizationsOf(session, ids), await ownersOf(session, ids)];
  return rows.map((row) => {
    const about = authorizations.find(({ id }) => id === row.authorizationId);
    const linked = owners.filter((link) => link.authorizationId === row.authorizationId);
    const ownerIds = row.ownerId === null ? linked.map(({ ownerId }) => ownerId) : [row.ownerId];
    const event = {
      id: row.id,
      name: row.name,
      at: new Date(row.createdAt),
      authorizationId: row.authorizationId,
      reason: row.reason,
      ownerIds,
      botId: about?.botId ?? null,
      workspaceId: about?.workspaceId ?? null,
      workspaceName: about?.workspaceName ?? null,
    };
    return { event, delivery: row.deliveries + 1 };
  });
}

function authorizationsOf(
  { manager, clientId }: EventSession,
  ids: readonly string[],
): Promise<AuthorizationEntity[]> {
  return manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .where('a.clientId = :clientId AND a.id IN (:...ids)', { clientId, ids })
    .getMany();
}

function ownersOf({ manager }: EventSession, ids: readonly string[]): Promise<AuthorizationOwnerEntity[]> {
  return manager
    .createQueryBuilder(AuthorizationOwnerEntity, 'o')
    .where('o.authorizationId IN (:...ids)', { ids })
    .orderBy('o.linkedAt')
    .getMany();
}
