import { KnownTokens } from './known.tokens.js';
import { NotionWebhookPairing } from './notion-webhook.pairing.js';
import { RawBodyCheck } from './raw-body.check.js';
import { WebhookLog } from './webhook.log.js';
import { WebhookQueue } from './webhook.queue.js';
import { WebhookVerifier } from './webhook.verifier.js';

/** What taking webhooks consists of; the ports come from elsewhere. */
export const webhookProviders = [
  NotionWebhookPairing,
  KnownTokens,
  WebhookVerifier,
  WebhookQueue,
  WebhookLog,
  RawBodyCheck,
] as const;

/** What an application's controllers need for the guard and the interceptor. */
export const webhookExports = [NotionWebhookPairing, WebhookVerifier, WebhookQueue, WebhookLog] as const;
