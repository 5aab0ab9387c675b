import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { WebhookRefusal } from '../domain/errors.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { followUpFailureOf } from './follow-up.failure.js';
import type { NotionWebhookEvent } from './webhook-event.js';
import { NotionLogger } from '../logging/notion.logger.js';

/**
 * Everything that webhooks write to the log. What looks alike from afar, a 403 around a webhook, has three beginnings
 * here: `webhook refused` is ours, `webhook follow_up_refused` is Notion's answer to a handler's own call, and
 * `webhook follow_up_blocked` comes from the edge before Notion. No line knows a token, a signature or a body.
 */
@Injectable()
export class WebhookLog {
  private readonly logger = new NotionLogger('NotionWebhook');
  private readonly failures: QuietLogger;

  constructor(
    clock: Clock,
    private readonly recent: RecentFailures,
  ) {
    this.failures = new QuietLogger('NotionWebhook', clock);
  }

  paired(): void {
    this.logger.warn('webhook paired: a verification token came in the open window and is kept sealed');
  }

  opened(until: Date): void {
    this.logger.warn('webhook pairing_open', { until: until.toISOString() });
  }

  refused(refusal: WebhookRefusal, status: number): void {
    const facts = { stage: 'webhook', refusal, answered: status } as const;
    this.recent.note('webhook', 'notion_webhook_refused');
    this.failures.warn(`webhook refused ${refusal}`, 'webhook refused', facts);
  }

  repeated({ id, attempt }: NotionWebhookEvent): void {
    this.logger.debug('webhook repeated', { event: id, delivery: attempt });
  }

  /** A handler failed after its delivery was answered: Notion will not send it again. */
  failed(event: NotionWebhookEvent, error: unknown): void {
    const { kind, facts } = followUpFailureOf(error);
    this.recent.note('webhook', facts.code);
    this.failures.error(
      `${kind} ${event.type} ${String(facts.status)} ${String(facts.code)}`,
      `webhook ${kind}`,
      {
        stage: 'webhook',
        ...facts,
        workspace: event.workspaceId,
        event: event.id,
        type: event.type,
      },
    );
  }
}
