import {
  applyDecorators,
  HttpCode,
  HttpStatus,
  SetMetadata,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { NOTION_WEBHOOK_ROUTE, NotionWebhookGuard } from './notion-webhook.guard.js';
import { NotionWebhookInterceptor } from './notion-webhook.interceptor.js';

/**
 * On a `@Post()` route that Notion's webhook subscription names. Deliveries are verified, answered with 200 before the
 * method begins, and given to it once each; what the method throws is logged, and nobody sends the event again.
 * The application is made with `NestFactory.create(AppModule, { rawBody: true })`, or does not start.
 *
 * @example
 * ```ts
 * @Post('notion/webhook')
 * @NotionWebhook()
 * async changed(@NotionDelivery() { event, authorizations }: NotionWebhookDelivery) { … }
 * ```
 */
export function NotionWebhook(): MethodDecorator {
  return applyDecorators(
    SetMetadata(NOTION_WEBHOOK_ROUTE, true),
    UseGuards(NotionWebhookGuard),
    UseInterceptors(NotionWebhookInterceptor),
    HttpCode(HttpStatus.OK),
  );
}
