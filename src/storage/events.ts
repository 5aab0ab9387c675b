import { randomUUID } from 'node:crypto';
import type { AuthorizationId, AuthorizationStatus } from '../domain/authorization.js';
import type { ClaimedEvent, EventClaimQuery, NoticedEvent } from '../domain/event-outbox.js';
import type { NotionEventName } from '../domain/notion-event.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { boundFromNow, fromNow } from './database-time.js';
import { EventEntity } from './event.entity.js';
import type { StoreSession } from './store-session.js';

export const PRUNED_AT_ONCE = 500;

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
  await insertEvents(session, [{ ...raised, id }]);
}

/** An authorization that becomes `active`. */
export interface Activation {
  readonly authorizationId: AuthorizationId;
  /** Its status until then; `null` where it is new. */
  readonly before: AuthorizationStatus | null;
}

/** As {@link addEvent}: `connected`, `recovered`, or nothing for an authorization that was active all the time. */
export async function addActivations(
  session: EventSession,
  activations: readonly Activation[],
): Promise<void> {
  const changed = activations.filter(({ before }) => before !== 'active');
  if (changed.length === 0) return;
  await insertEvents(
    session,
    changed.map(({ authorizationId, before }) => ({
      id: randomUUID(),
      name: before === 'needs_reconnect' ? 'recovered' : 'connected',
      authorizationId,
    })),
  );
}

async function insertEvents(
  { manager, dialect, clientId }: EventSession,
  events: readonly (RaisedEvent & { readonly id: string })[],
): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(EventEntity)
    .values(
      events.map(({ id, name, authorizationId = null, reason = null, ownerId = null }) => ({
        id,
        clientId,
        name,
        authorizationId,
        reason,
        ownerId,
        deliveries: 0,
        nextDeliveryAt: () => dialect.now,
        createdAt: () => dialect.now,
      })),
    )
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
  query: EventClaimQuery,
): Promise<readonly ClaimedEvent[]> {
  if (query.limits.size === 0) return [];
  const claimed: EventEntity[] = [];
  for (const row of await dueEvents(session, query)) {
    const taken = await updateAsSeen(session, row, {
      deliveries: row.deliveries + 1,
      nextDeliveryAt: () => fromNow(session.dialect, query.leaseMs),
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

/** The oldest first and not all at once: so they are read from the index, and a backlog locks few rows at a time. */
export async function findOldEvents(session: EventSession, olderThanMs: number): Promise<readonly string[]> {
  const { manager, dialect, clientId } = session;
  const old = await manager
    .createQueryBuilder(EventEntity, 'e')
    .select(['e.id', 'e.createdAt'])
    .where('e.clientId = :clientId', { clientId })
    .andWhere(`e.createdAt <= ${boundFromNow(dialect, -olderThanMs)}`)
    .orderBy('e.createdAt')
    .limit(PRUNED_AT_ONCE)
    .getMany();
  return old.map(({ id }) => id);
}

export async function removeEvents(
  { manager, clientId }: EventSession,
  ids: readonly string[],
): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(EventEntity)
    .where('id IN (:...ids) AND client_id = :clientId', { ids, clientId })
    .callListeners(false)
    .execute();
}

/**
 * Each name is read from the index on its own and only as far as its limit: events that have no listener here cost
 * nothing, however many there are.
 */
function dueEvents(
  { manager, dialect, clientId }: EventSession,
  { limits, keepMs }: EventClaimQuery,
): Promise<EventEntity[]> {
  const names = [...limits.keys()];
  const due = names.map((name, index) => {
    const ofName = manager
      .createQueryBuilder(EventEntity, 'e')
      .select('e.id', 'id')
      .where(`e.clientId = :clientId AND e.name = :name${String(index)}`)
      .andWhere(`e.nextDeliveryAt <= ${dialect.statementNow}`)
      .andWhere(`e.createdAt > ${boundFromNow(dialect, -keepMs)}`)
      .orderBy('e.nextDeliveryAt')
      .limit(limits.get(name));
    return `SELECT d${String(index)}.id FROM (${ofName.getQuery()}) d${String(index)}`;
  });
  return manager
    .createQueryBuilder(EventEntity, 'e')
    .innerJoin(`(${due.join(' UNION ALL ')})`, 'due', 'due.id = e.id')
    .setParameters({
      clientId,
      ...Object.fromEntries(names.map((name, index) => [`name${String(index)}`, name])),
    })
    .orderBy('e.nextDeliveryAt')
    .addOrderBy('e.id')
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
      clientId: row.clientId,
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
