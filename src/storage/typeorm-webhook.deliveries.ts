import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { WebhookDeliveries, type DeliveryBounds } from '../domain/webhook-deliveries.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { fromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { WebhookEventEntity } from './webhook-event.entity.js';

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

  private async pruneSometimes({ rememberMs, maxEvents }: DeliveryBounds): Promise<void> {
    this.sincePruned += 1;
    if (this.sincePruned < maxEvents * PRUNED_EVERY) return;
    this.sincePruned = 0;
    await this.database.transaction((session) => this.prune(session, rememberMs, maxEvents), {
      confirm: harmlessTwice,
    });
  }

  private async prune(session: DatabaseSession, rememberMs: number, maxEvents: number): Promise<void> {
    const { manager, dialect } = session;
    await this.remove(session, `received_at < ${fromNow(dialect, -rememberMs)}`);
    const firstTooMany = await manager
      .createQueryBuilder(WebhookEventEntity, 'e')
      .where('e.clientId = :clientId', { clientId: this.config.clientId })
      .orderBy('e.receivedAt', 'DESC')
      .offset(maxEvents)
      .limit(1)
      .getOne();
    if (firstTooMany !== null)
      await this.remove(session, `received_at <= ${String(firstTooMany.receivedAt)}`);
  }

  private async remove({ manager }: DatabaseSession, condition: string): Promise<void> {
    await manager
      .createQueryBuilder()
      .delete()
      .from(WebhookEventEntity)
      .where(`client_id = :clientId AND ${condition}`, { clientId: this.config.clientId })
      .callListeners(false)
      .execute();
  }
}
