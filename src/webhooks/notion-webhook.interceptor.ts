import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { requestOf } from '../config/http-context.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { WebhookAudience } from '../domain/webhook-audience.js';
import { WebhookDeliveries } from '../domain/webhook-deliveries.js';
import type { NotionWebhookEvent } from './webhook-event.js';
import { webhookException } from './notion-webhook.guard.js';
import { keepDelivery, messageOf } from './webhook.delivery.js';
import { WebhookLog } from './webhook.log.js';
import { WebhookQueue, type QueuePlace } from './webhook.queue.js';

const ANSWERED = of(undefined);

/** Behind the guard: each event once, answered at once, and handled afterwards for those whom it concerns. */
@Injectable()
export class NotionWebhookInterceptor implements NestInterceptor {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly deliveries: WebhookDeliveries,
    private readonly audience: WebhookAudience,
    private readonly queue: WebhookQueue,
    private readonly log: WebhookLog,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = requestOf(context, 'NotionWebhookInterceptor');
    const message = messageOf(request);
    if (message === undefined)
      throw new Error('NotionWebhookInterceptor needs NotionWebhookGuard before it.');
    if (message.kind === 'event') await this.accept(request, message.event, next);
    return ANSWERED;
  }

  private async accept(request: object, event: NotionWebhookEvent, next: CallHandler): Promise<void> {
    try {
      const place = this.queue.reserve();
      if (await this.isNew(event, place)) place.use(() => this.handle(request, event, next));
    } catch (error) {
      throw webhookException(error, this.log);
    }
  }

  private async isNew(event: NotionWebhookEvent, place: QueuePlace): Promise<boolean> {
    let isNew = false;
    try {
      isNew = await this.deliveries.remember(event.id, this.config.webhooks);
      if (!isNew) this.log.repeated(event);
    } finally {
      if (!isNew) place.leave();
    }
    return isNew;
  }

  private async handle(request: object, event: NotionWebhookEvent, next: CallHandler): Promise<void> {
    try {
      const authorizations = await this.audience.linkedTo(event.workspaceId, event.botIds);
      keepDelivery(request, { event, authorizations });
      await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      this.log.failed(event, error);
    }
  }
}
