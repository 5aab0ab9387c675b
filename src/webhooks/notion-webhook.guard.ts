import {
  HttpException,
  HttpStatus,
  Injectable,
  ServiceUnavailableException,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { requestOf } from '../config/http-context.js';
import {
  NotionStoreUnavailableError,
  NotionWebhookRefusedError,
  type WebhookRefusal,
} from '../domain/errors.js';
import { keepMessage } from './webhook.delivery.js';
import { WebhookLog } from './webhook.log.js';
import { WebhookVerifier, type WebhookRequest } from './webhook.verifier.js';

/** Metadata of whatever takes webhooks: routes and guards. */
export const NOTION_WEBHOOK_ROUTE = 'nestjs-notion-auth:webhook-route';

const STATUS_BY_REFUSAL: Partial<Record<WebhookRefusal, HttpStatus>> = {
  too_large: HttpStatus.PAYLOAD_TOO_LARGE,
  malformed_event: HttpStatus.BAD_REQUEST,
  queue_full: HttpStatus.SERVICE_UNAVAILABLE,
};

/**
 * Lets in what Notion signed: `X-Notion-Signature` over the raw bytes, so the application is made with
 * `rawBody: true`. Everything else is answered 401, in one and the same way.
 * @see https://developers.notion.com/reference/webhooks
 */
@Injectable()
@SetMetadata(NOTION_WEBHOOK_ROUTE, true)
export class NotionWebhookGuard implements CanActivate {
  constructor(
    private readonly verifier: WebhookVerifier,
    private readonly log: WebhookLog,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context, 'NotionWebhookGuard') as WebhookRequest;
    try {
      keepMessage(request, await this.verifier.verify(request));
      return true;
    } catch (error) {
      throw webhookException(error, this.log);
    }
  }
}

/** As Nest answers it in any controller, whatever filters the application has. */
export function webhookException(error: unknown, log: WebhookLog): unknown {
  if (error instanceof NotionStoreUnavailableError) {
    return new ServiceUnavailableException('Try again later.', { cause: error });
  }
  if (!(error instanceof NotionWebhookRefusedError)) return error;
  const status = STATUS_BY_REFUSAL[error.refusal] ?? HttpStatus.UNAUTHORIZED;
  log.refused(error.refusal, status);
  return new HttpException({ statusCode: status, code: error.code }, status, { cause: error });
}
