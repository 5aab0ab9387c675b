import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { WebhookRefusal } from '../domain/errors.js';
import { QuietLogger } from '../refresh/quiet-logger.js';
import { followUpFailureOf } from './follow-up.failure.js';
import type { NotionWebhookEvent } from './webhook-event.js';

/**
 * Everything that webhooks write to the log. What looks alike from afar, a 403 around a webhook, has three beginnings
 * here: `webhook refused` is ours, `webhook follow_up_refused` is Notion's answer to a handler's own call, and
 * `webhook follow_up_blocked` comes from the edge before Notion. No line knows a token, a signature or a body.
 */
@Injectable()
export class WebhookLog {
  private readonly logger = new Logger('NotionWebhook');
  private readonly failures: QuietLogger;

  constructor(clock: Clock) {
    this.failures = new QuietLogger('NotionWebhook', clock);
  }

  paired(): void {
    this.logger.warn('webhook paired: a verification token came in the open window and is kept sealed');
  }

  opened(until: Date): void {
    this.logger.warn(`webhook pairing_open until=${until.toISOString()}`);
  }

  refused(refusal: WebhookRefusal, status: number): void {
    const line = `webhook refused refusal=${refusal} status=${String(status)}`;
    this.failures.warn(line, line);
  }

  repeated({ id, attempt }: NotionWebhookEvent): void {
    this.logger.debug(`webhook repeated event=${id} attempt=${String(attempt ?? 'unknown')}`);
  }

  /** A handler failed after its delivery was answered: Notion will not send it again. */
  failed(event: NotionWebhookEvent, error: unknown): void {
    const { kind, facts } = followUpFailureOf(error);
    const line = `webhook ${kind} event=${event.id} type=${event.type}${facts}`;
    this.failures.error(`${kind} ${event.type}${facts.replace(/ request=\S+| ray=\S+/g, '')}`, line);
  }
}
