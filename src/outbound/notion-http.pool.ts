import { Inject, Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { Pool, type Dispatcher } from 'undici';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { UpstreamConnector } from '../config/upstream.connector.js';
import type { AccessToken } from '../domain/secret.js';
import type { CallCancellation } from './call-cancellation.js';
import { ACCEPTED_ENCODINGS, AnswerReceiver } from './answer-receiver.js';
import type { HttpAnswer } from './http-answer.js';
import type { OutboundRequest } from './outbound-request.js';

/**
 * Keep-alive connections to the one configured origin, through the configured proxy where there is one. Nothing here can
 * name another host: the pool has no other origin and follows no redirect.
 *
 * It is never closed, as other modules may have work to finish after this one: idle connections hold no process.
 */
@Injectable()
export class NotionHttpPool {
  /** As `URL.origin` spells it. */
  readonly origin: string;
  /** Private also to whoever prints it: requests on the wire carry their token. */
  readonly #dispatcher: Dispatcher;
  /** For a dispatcher of the application's own, which may open more sockets than are allowed. */
  private readonly limit: LimitFunction | null;
  private readonly maxAnswerBytes: number;

  constructor(@Inject(NOTION_AUTH_CONFIG) config: NotionAuthConfig, connector: UpstreamConnector) {
    this.origin = new URL(config.apiBaseUrl).origin;
    // The call's own time limit covers the wait for the head; a streamed body keeps undici's idle limit.
    this.maxAnswerBytes = config.outbound.maxAnswerBytes;
    const { maxSockets } = config.outbound;
    const { connect, dispatcher } = connector;
    this.limit = dispatcher === null ? null : pLimit(maxSockets);
    this.#dispatcher =
      dispatcher ?? new Pool(this.origin, { connections: maxSockets, headersTimeout: 0, connect });
  }

  /** Sends once and takes the whole answer, whatever its status. Rejects as `fetch` does: `TypeError` with a cause. */
  send(request: OutboundRequest, token: AccessToken, cancellation: CallCancellation): Promise<HttpAnswer> {
    const { limit } = this;
    if (limit === null) return this.dispatch(request, token, cancellation);
    return new Promise((resolve, reject) => {
      void limit(async () => {
        const answer = this.dispatch(request, token, cancellation);
        answer.then(resolve, reject);
        await answer.then(({ streamEnded }) => streamEnded).catch(() => undefined);
      });
    });
  }

  private dispatch(
    request: OutboundRequest,
    token: AccessToken,
    cancellation: CallCancellation,
  ): Promise<HttpAnswer> {
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
      const { origin } = this;
      // The redirect interceptor of a dispatcher obeys `maxRedirections`, which undici's types do not know.
      const options = { origin, method, path, headers, body, headersTimeout: 0, maxRedirections: 0 };
      this.#dispatcher.dispatch(options as Dispatcher.DispatchOptions, receiver);
    });
  }
}

function bearer(token: AccessToken): string {
  return `Bearer ${token.reveal()}`;
}
