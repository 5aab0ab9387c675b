import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { WebhookDeliveries, type DeliveryBounds } from '../domain/webhook-deliveries.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { boundFromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { WebhookEventEntity } from './webhook-event.entity.js';

const PRUNED_AT_ONCE = 500;
/** A tenth of what is kept may be there too many before this process looks after it. */
const PRUNED_EVERY = 0.1;

/** Events of the configured client id. */
@Injectable()
export class TypeOrmWebhookDeliveries extends WebhookDeliveries {
  private sincePruned = 0;

  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async remember(eventId: string, bounds: DeliveryBounds): Promise<boolean> {
    const isNew = await this.database.transaction((session) => this.insert(session, eventId), {
      repeatOnUniqueViolation: true,
      // Handled twice rather than not at all: the row that is there is most likely ours.
      confirm: async (session, unconfirmed) =>
        (await this.knows(session, eventId)) ? unconfirmed : undefined,
    });
    if (isNew) await this.pruneSometimes(bounds);
    return isNew;
  }

  override async prune(bounds: DeliveryBounds): Promise<boolean> {
    const old = await this.database.read((session) => this.findOld(session, bounds));
    if (old.length > 0) {
      await this.database.transaction((session) => this.remove(session, old), { confirm: harmlessTwice });
    }
    return old.length === PRUNED_AT_ONCE;
  }

  private async insert(session: DatabaseSession, eventId: string): Promise<boolean> {
    if (await this.knows(session, eventId)) return false;
    const { manager, dialect } = session;
    await manager
      .createQueryBuilder()
      .insert()
      .into(WebhookEventEntity)
      .values({ clientId: this.config.clientId, eventId, receivedAt: () => dialect.now })
      .updateEntity(false)
      .callListeners(false)
      .execute();
    return true;
  }

  private knows({ manager }: DatabaseSession, eventId: string): Promise<boolean> {
    return manager.existsBy(WebhookEventEntity, { clientId: this.config.clientId, eventId });
  }

  /** A failure must not make Notion send the event again: it is noted, and would not be handled then. */
  private async pruneSometimes(bounds: DeliveryBounds): Promise<void> {
    this.sincePruned += 1;
    if (this.sincePruned < bounds.maxEvents * PRUNED_EVERY) return;
    this.sincePruned = 0;
    try {
      while (await this.prune(bounds));
    } catch {
      // Pruned again in a while, here or by another process.
    }
  }

  /** The oldest first and not all at once: a backlog locks few rows at a time. */
  private async findOld(session: DatabaseSession, bounds: DeliveryBounds): Promise<readonly string[]> {
    const old = await session.manager
      .createQueryBuilder(WebhookEventEntity, 'e')
      .where('e.clientId = :clientId', { clientId: this.config.clientId })
      .andWhere(`e.receivedAt <= ${await this.newestToRemove(session, bounds)}`)
      .orderBy('e.receivedAt')
      .limit(PRUNED_AT_ONCE)
      .getMany();
    return old.map(({ eventId }) => eventId);
  }

  private async remove({ manager }: DatabaseSession, eventIds: readonly string[]): Promise<void> {
    const { clientId } = this.config;
    await manager
      .createQueryBuilder()
      .delete()
      .from(WebhookEventEntity)
      .where('client_id = :clientId AND event_id IN (:...eventIds)', { clientId, eventIds })
      .callListeners(false)
      .execute();
  }

  /** SQL expression: when the newest event was received that is too old, or one too many. */
  private async newestToRemove(
    { manager, dialect }: DatabaseSession,
    { rememberMs, maxEvents }: DeliveryBounds,
  ): Promise<string> {
    const newestTooMany = await manager
      .createQueryBuilder(WebhookEventEntity, 'e')
      .where('e.clientId = :clientId', { clientId: this.config.clientId })
      .orderBy('e.receivedAt', 'DESC')
      .offset(maxEvents)
      .limit(1)
      .getOne();
    const tooOld = boundFromNow(dialect, -rememberMs);
    if (newestTooMany === null) return tooOld;
    const tooMany = String(newestTooMany.receivedAt);
    return `CASE WHEN ${tooOld} > ${tooMany} THEN ${tooOld} ELSE ${tooMany} END`;
  }
}
