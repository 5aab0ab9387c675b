import { Inject, Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { tokenProblem } from '../config/webhooks.option.js';
import { NotionWebhookRefusedError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { WebhookTokens } from '../domain/webhook-tokens.js';
import { KnownTokens } from './known.tokens.js';
import { parseWebhookMessage, type NotionWebhookEvent } from './webhook-event.js';
import { WebhookLog } from './webhook.log.js';
import { isSignedWith, parseSignature } from './webhook-signature.js';

const SIGNATURE_HEADER = 'x-notion-signature';

/** The part of a request on which Express and Fastify agree, with `rawBody: true`. */
export interface WebhookRequest {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody?: unknown;
}

/** What the guard let through. */
export type VerifiedMessage =
  { readonly kind: 'event'; readonly event: NotionWebhookEvent } | { readonly kind: 'handshake' };

/** Decides over a delivery by the bytes that came, never by what a parser made of them. */
@Injectable()
export class WebhookVerifier {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly known: KnownTokens,
    private readonly stored: WebhookTokens,
    private readonly log: WebhookLog,
  ) {}

  /** @throws {@link NotionWebhookRefusedError} for whatever Notion did not sign, or is nothing that it sends. */
  async verify(request: WebhookRequest): Promise<VerifiedMessage> {
    const body = this.bodyOf(request);
    const signature = signatureOf(request);
    const signer = await this.known.find((token) => isSignedWith(token, body, signature));
    if (signer === null) return this.pair(body, signature);
    const message = parseWebhookMessage(body);
    if (message === null) throw new NotionWebhookRefusedError('malformed_event');
    // Notion sends a token once more when somebody asks for that; it is the one that we know.
    return message.kind === 'event' ? message : { kind: 'handshake' };
  }

  private bodyOf({ rawBody }: WebhookRequest): Uint8Array {
    if (!(rawBody instanceof Uint8Array)) throw new NotionWebhookRefusedError('no_raw_body');
    if (rawBody.length > this.config.webhooks.maxBodyBytes) throw new NotionWebhookRefusedError('too_large');
    return rawBody;
  }

  /**
   * A handshake is signed with the token that it brings, which proves nothing about who sent it. It counts only in a
   * window that somebody has opened for it, and adds a token where another would have to be replaced.
   */
  private async pair(body: Uint8Array, signature: Uint8Array): Promise<VerifiedMessage> {
    const refusal = (await this.known.hasAny()) ? 'bad_signature' : 'unpaired';
    const message = parseWebhookMessage(body);
    if (message?.kind !== 'handshake') throw new NotionWebhookRefusedError(refusal);
    const token = new Secret(message.token);
    if (tokenProblem(message.token) !== null || !isSignedWith(token, body, signature)) {
      throw new NotionWebhookRefusedError('bad_signature');
    }
    if (!(await this.known.isOpen()) || !(await this.stored.keep(token))) {
      throw new NotionWebhookRefusedError('pairing_closed');
    }
    this.known.forget();
    this.log.paired();
    return { kind: 'handshake' };
  }
}

function signatureOf({ headers }: WebhookRequest): Uint8Array {
  const header: unknown = headers[SIGNATURE_HEADER];
  if (header === undefined || header === '') throw new NotionWebhookRefusedError('missing_signature');
  const signature = parseSignature(header);
  if (signature === null) throw new NotionWebhookRefusedError('malformed_signature');
  return signature;
}
