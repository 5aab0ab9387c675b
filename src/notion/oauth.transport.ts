import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { buildConnector, Client } from 'undici';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { OpenSockets } from '../domain/open-sockets.js';

/** No answer of an OAuth endpoint comes near it; more is an attack or an accident. */
const MAX_BODY_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10 * SECOND_MS;
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
  | { readonly kind: 'failed'; readonly connected: boolean; readonly code: string };

/**
 * One POST on a connection of its own (rule R6): no keep-alive socket that the other side is just closing, no retry,
 * no redirect, and no caller that could cancel it.
 */
@Injectable()
export class OAuthTransport implements OnApplicationShutdown {
  private readonly connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  private readonly sockets = new OpenSockets();

  constructor(private readonly clock: Clock) {}

  async post(request: OAuthRequest): Promise<OAuthReply> {
    const connection = { open: false };
    const client = this.clientFor(request, connection);
    const stopDeadline = this.startDeadline(request.timeoutMs, () => {
      end(client, TOO_LATE);
    });
    try {
      const response = await client.request({
        method: 'POST',
        path: request.path,
        headers: { ...request.headers },
        body: request.body,
      });
      const text = await response.body.text();
      return {
        kind: 'answered',
        status: response.statusCode,
        headers: plain(response.headers),
        body: parseJson(text),
      };
    } catch (error) {
      return { kind: 'failed', connected: connection.open, code: socketCode(error) };
    } finally {
      stopDeadline();
      // Not now: closing a socket takes its time, and a pair that was answered has nowhere durable to be yet.
      setImmediate(end, client, DONE);
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
    this.connect(options, (...result) => {
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
