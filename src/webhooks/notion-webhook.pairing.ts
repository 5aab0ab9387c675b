import { Injectable } from '@nestjs/common';
import { HOUR_MS, MINUTE_MS } from '../domain/duration.js';
import type { Secret } from '../domain/secret.js';
import { WebhookTokens } from '../domain/webhook-tokens.js';
import { KnownTokens } from './known.tokens.js';
import { WebhookLog } from './webhook.log.js';

const DEFAULT_WINDOW_MS = 10 * MINUTE_MS;

/**
 * Takes the verification token that Notion sends once, when a webhook subscription is made. Only in a window that an
 * operator has opened: whoever knows the address of the webhook could send one. The token is then pasted into Notion.
 *
 * To rotate, open a window, let Notion send a new token, and {@link NotionWebhookPairing.retire} the old one when
 * deliveries come with the new.
 */
@Injectable()
export class NotionWebhookPairing {
  constructor(
    private readonly tokens: WebhookTokens,
    private readonly known: KnownTokens,
    private readonly log: WebhookLog,
  ) {}

  /**
   * Opens the window for one token, on every replica.
   * @param durationMs - in ms, at most an hour; ten minutes unless given
   * @returns when it closes
   * @throws `RangeError` for a duration that is none, or longer.
   */
  async open(durationMs: number = DEFAULT_WINDOW_MS): Promise<Date> {
    if (!(durationMs > 0 && durationMs <= HOUR_MS)) {
      throw new RangeError(`A pairing window is open for up to ${HOUR_MS} ms.`);
    }
    const until = await this.tokens.open(durationMs);
    this.known.forget();
    this.log.opened(until);
    return until;
  }

  /** The token that came last, to be pasted into Notion by whoever opened the window; `null` before it came. */
  async latestToken(): Promise<Secret | null> {
    return (await this.tokens.read()).tokens[0] ?? null;
  }

  /** Forgets all paired tokens but the last, and closes the window. @returns how many were forgotten. */
  async retire(): Promise<number> {
    const retired = await this.tokens.retire();
    this.known.forget();
    return retired;
  }
}
