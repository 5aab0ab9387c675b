import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'undici';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AccessToken } from '../domain/secret.js';
import type { CallCancellation } from './call-cancellation.js';
import { ACCEPTED_ENCODINGS, AnswerReceiver } from './answer-receiver.js';
import type { HttpAnswer } from './http-answer.js';
import type { OutboundRequest } from './outbound-request.js';

/**
 * Keep-alive connections to the one configured origin. Nothing here can name another host: the pool has no other
 * origin, follows no redirect and reads no proxy variable.
 *
 * It is never closed, as other modules may have work to finish after this one: idle connections hold no process.
 */
@Injectable()
export class NotionHttpPool {
  /** As `URL.origin` spells it. */
  readonly origin: string;
  /** Private also to whoever prints it: requests on the wire carry their token. */
  readonly #pool: Pool;
  private readonly maxAnswerBytes: number;

  constructor(@Inject(NOTION_AUTH_CONFIG) config: NotionAuthConfig) {
    this.origin = new URL(config.apiBaseUrl).origin;
    // The call's own time limit covers the wait for the head; a streamed body keeps undici's idle limit.
    this.maxAnswerBytes = config.outbound.maxAnswerBytes;
    this.#pool = new Pool(this.origin, { connections: config.outbound.maxSockets, headersTimeout: 0 });
  }

  /** Sends once and takes the whole answer, whatever its status. Rejects as `fetch` does: `TypeError` with a cause. */
  send(request: OutboundRequest, token: AccessToken, cancellation: CallCancellation): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const receiver = new AnswerReceiver(this.origin + request.path, this.maxAnswerBytes, resolve, reject);
      cancellation.throwIfCancelled();
      cancellation.onCancel((reason) => {
        receiver.cancel(reason);
      });
      const { method, path, body } = request;
      const headers = {
        ...request.headers,
        'accept-encoding': ACCEPTED_ENCODINGS,
        authorization: bearer(token),
      };
      this.#pool.dispatch({ method, path, headers, body: body as Uint8Array }, receiver);
    });
  }
}

function bearer(token: AccessToken): string {
  return `Bearer ${token.reveal()}`;
}
