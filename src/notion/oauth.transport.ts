import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Client, errors, type buildConnector, type Dispatcher } from 'undici';
import { UpstreamConnector } from '../config/upstream.connector.js';
import { Clock } from '../domain/clock.js';
import { OpenSockets } from '../domain/open-sockets.js';
import { ProxyError } from '../domain/proxy-error.js';

/** No answer of an OAuth endpoint comes near it; more is an attack or an accident. */
const MAX_BODY_BYTES = 64 * 1024;
/** A stalled event loop runs due timers before it reads answers that arrived in time: give those their turn. */
const DEADLINE_GRACE_MS = 250;

/** The reasons a connection ends, made once: an error with its stack, for each, would cost as much as sealing a pair. */
const DONE = new Error('The answer is here.');
const TOO_LATE = Object.assign(new Error('The deadline has passed.'), { code: 'timeout' });
const TOO_LATE_TO_BEGIN = Object.assign(new Error('The claim may be over before the answer is here.'), {
  code: 'claim_nearly_over',
});
const NOT_WANTED = Object.assign(new Error('The request is not wanted any more.'), { code: 'not_wanted' });

export interface OAuthRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** Checked before the first byte; `false` fails the request as not connected. Default: always allowed. */
  readonly maySend?: (timeoutMs: number) => boolean;
  /** Asked when the connection stands; the request has failed unconnected on `false`, or when this rejects. */
  readonly isStillWanted?: (() => Promise<boolean>) | undefined;
}

/**
 * `connected` tells whether a byte may have left: before the connection stood nothing can have been processed,
 * afterwards anything can.
 */
export type OAuthReply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | undefined>>;
      readonly body: unknown;
    }
  | {
      readonly kind: 'failed';
      readonly connected: boolean;
      readonly code: string;
      /** Host and port of the outgoing proxy, where the request failed there. */
      readonly proxy: string | undefined;
    };

/**
 * One POST on a connection of its own (rule R6): no keep-alive socket that the other side is just closing, no retry,
 * no redirect, and no caller that could cancel it.
 */
@Injectable()
export class OAuthTransport implements OnApplicationShutdown {
  private readonly sockets = new OpenSockets();

  constructor(
    private readonly clock: Clock,
    private readonly connector: UpstreamConnector,
  ) {}

  async post(request: OAuthRequest): Promise<OAuthReply> {
    const connection = { open: false };
    const { dispatcher } = this.connector;
    const client = dispatcher === null ? this.clientFor(request, connection) : null;
    const deadline = new AbortController();
    const stopDeadline = this.startDeadline(request.timeoutMs, () => {
      if (client === null) deadline.abort(TOO_LATE);
      else end(client, TOO_LATE);
    });
    try {
      const response = await (client === null
        ? dispatcher!.request(throughDispatcher(request, connection, deadline.signal))
        : client.request({ ...head(request), body: request.body }));
      const text = await boundedText(response.body);
      return {
        kind: 'answered',
        status: response.statusCode,
        headers: plain(response.headers),
        body: parseJson(text),
      };
    } catch (error) {
      const proxy = error instanceof ProxyError ? error.proxy : undefined;
      return { kind: 'failed', connected: connection.open, code: socketCode(error), proxy };
    } finally {
      stopDeadline();
      // Not now: closing a socket takes its time, and a pair that was answered has nowhere durable to be yet.
      if (client !== null) setImmediate(end, client, DONE);
    }
  }

  /** What outlasts the drain does not hold the process; a token pair that still arrives is journaled. */
  onApplicationShutdown(): void {
    this.sockets.unref();
  }

  private clientFor(request: OAuthRequest, connection: { open: boolean }): Client {
    return new Client(request.origin, {
      maxResponseSize: MAX_BODY_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        this.connectIfWanted(request, options, (...result) => {
          const [failure, socket] = result;
          // The first byte follows in this turn of the event loop.
          if (failure === null && request.maySend?.(request.timeoutMs) === false) {
            socket.destroy();
            callback(TOO_LATE_TO_BEGIN, null);
            return;
          }
          if (failure === null) this.sockets.add(socket);
          connection.open ||= failure === null;
          callback(...result);
        });
      },
    });
  }

  private connectIfWanted(
    { isStillWanted }: OAuthRequest,
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    this.connector.connect(options, (...result) => {
      const [failure, socket] = result;
      if (failure !== null || isStillWanted === undefined) {
        callback(...result);
        return;
      }
      const giveUp = () => {
        socket.destroy();
        callback(NOT_WANTED, null);
      };
      isStillWanted().then((isWanted) => {
        // The other side may have closed it since.
        if (isWanted && !socket.destroyed) callback(null, socket);
        else giveUp();
      }, giveUp);
    });
  }

  /** Two steps (rule R8): when the deadline fires, as much time again as it fired late, at least the grace. */
  private startDeadline(timeoutMs: number, onOver: () => void): () => void {
    const dueAtMs = this.clock.monotonicMs() + timeoutMs;
    // The socket holds the process; the deadline alone does not.
    let timer = setTimeout(() => {
      const lateMs = this.clock.monotonicMs() - dueAtMs;
      timer = setTimeout(onOver, Math.max(DEADLINE_GRACE_MS, lateMs)).unref();
    }, timeoutMs).unref();
    return () => {
      clearTimeout(timer);
    };
  }
}

function head({ path, headers }: OAuthRequest) {
  return { method: 'POST', path, headers: { ...headers } } as const;
}

/**
 * A dispatcher shows no connection. It asks for the body when the connection stands, and undici writes the head together
 * with the first bytes of the body, so what is asked before the first byte is asked there. Such a body cannot be sent a
 * second time, by a dispatcher that retries or follows redirects.
 */
function throughDispatcher(
  request: OAuthRequest,
  connection: { open: boolean },
  signal: AbortSignal,
): Dispatcher.RequestOptions {
  const bytes = Buffer.from(request.body);
  async function* body(): AsyncGenerator<Buffer> {
    const isWanted = await (request.isStillWanted?.() ?? true);
    if (!isWanted) throw NOT_WANTED;
    if (request.maySend?.(request.timeoutMs) === false) throw TOO_LATE_TO_BEGIN;
    connection.open = true;
    yield bytes;
  }
  const { method, path, headers } = head(request);
  return {
    origin: request.origin,
    method,
    path,
    headers: { ...headers, 'content-length': String(bytes.length) },
    // undici takes any iterable.
    body: body() as unknown as Dispatcher.RequestOptions['body'],
    signal,
    reset: true,
    maxRedirections: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  } as Dispatcher.RequestOptions;
}

/** Of a dispatcher of the application's nothing else limits it. */
async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new errors.ResponseExceededMaxSizeError();
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Not awaited: the answer is what counts, and destroying a client cannot fail in a way that matters. */
function end(client: Client, reason: Error): void {
  void client.destroy(reason).catch(() => undefined);
}

function plain(headers: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()[0]]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What OpenSSL and Node call a certificate or a handshake that cannot be trusted. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|CRL_|EPROTO$|HOSTNAME_MISMATCH$|INVALID_)|SELF_SIGNED/;

/** The socket's own code and nothing else: messages of foreign errors may quote what was sent. */
function socketCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return 'connection_failed';
  return TLS_CODE.test(code) ? 'tls' : code;
}
