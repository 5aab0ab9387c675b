import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { ProxyError, type ProxyFailureCode } from '../domain/proxy-error.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig, type OutboundProxy } from './notion-auth.options.js';

const CONNECT_TIMEOUT_MS = 10 * SECOND_MS;
const PROXY_AUTHENTICATION_REQUIRED = 407;

type ProxyAddress = Extract<OutboundProxy, { kind: 'url' }>;
type Target = Parameters<buildConnector.connector>[0];

/**
 * Opens connections to the configured origin, directly or through the configured proxy. A proxy gets `CONNECT` and the
 * name of that origin, then bytes that it cannot read: TLS is between this process and the origin.
 */
@Injectable()
export class UpstreamConnector {
  readonly connect: buildConnector.connector;
  private readonly proxy: OutboundProxy | null;
  private readonly failures: QuietLogger;

  constructor(@Inject(NOTION_AUTH_CONFIG) config: Pick<NotionAuthConfig, 'outbound'>, clock: Clock) {
    this.proxy = config.outbound.proxy;
    this.failures = new QuietLogger('NotionProxy', clock);
    const direct = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
    this.connect = this.proxy?.kind === 'url' ? this.through(this.proxy, direct) : direct;
  }

  /** The application's own, which then opens all connections; `null` without one. */
  get dispatcher(): Dispatcher | null {
    return this.proxy?.kind === 'dispatcher' ? (this.proxy.dispatcher() as unknown as Dispatcher) : null;
  }

  private through(proxy: ProxyAddress, direct: buildConnector.connector): buildConnector.connector {
    return (target, callback) => {
      openTunnel(proxy, target).then(
        (socket) => {
          if (target.protocol === 'https:') direct({ ...target, httpSocket: socket }, callback);
          else callback(null, socket);
        },
        (error: unknown) => {
          const failure = error instanceof ProxyError ? error : unreachable(proxy, error);
          this.failures.error(failure.code, 'proxy failed', {
            proxy: proxy.host,
            code: failure.code,
            error: failure.reason,
          });
          callback(failure, null);
        },
      );
    };
  }
}

async function openTunnel(proxy: ProxyAddress, target: Target): Promise<Socket> {
  const url = new URL(proxy.url.reveal());
  const host = target.host ?? target.hostname;
  const path = hasPort(host) ? host : `${host}:${defaultPort(target.protocol)}`;
  const client = new Client(url.origin, { connect: { timeout: CONNECT_TIMEOUT_MS } });
  try {
    const opened: Promise<Dispatcher.ConnectData> = client.connect({
      path,
      headers: { host: path, ...credentialsOf(url) },
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
    });
    const { statusCode, socket } = await opened;
    if (statusCode >= 200 && statusCode < 300) return socket as Socket;
    socket.on('error', () => undefined).destroy();
    throw refused(proxy, statusCode, path);
  } finally {
    // The tunnel's socket has left the client; an attempt that failed has nothing to finish.
    void client.destroy().catch(() => undefined);
  }
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host);
}

function defaultPort(protocol: string): string {
  return protocol === 'https:' ? '443' : '80';
}

function refused(proxy: ProxyAddress, status: number, target: string): ProxyError {
  const { host, source } = proxy;
  if (status === PROXY_AUTHENTICATION_REQUIRED) {
    return failure(
      proxy,
      'proxy_authentication_required',
      String(status),
      `The proxy ${host} requires valid credentials (407). Set its user name and password in ${source}, as in http://user:password@host:port.`,
    );
  }
  return failure(
    proxy,
    'proxy_rejected',
    String(status),
    `The proxy ${host} did not open a tunnel to ${target} (${String(status)}). Allow that host and port at the proxy, or correct ${source}.`,
  );
}

/** Of the error only its code: what it says may quote the address. */
function unreachable(proxy: ProxyAddress, error: unknown): ProxyError {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  const reason = name === 'TimeoutError' ? 'timeout' : typeof code === 'string' ? code : 'connection_failed';
  const { host, source } = proxy;
  return failure(
    proxy,
    'proxy_unreachable',
    reason,
    `The proxy ${host} cannot be reached (${reason}). Check ${source}, DNS and the firewall.`,
  );
}

function failure(
  { host }: ProxyAddress,
  code: ProxyFailureCode,
  reason: string,
  message: string,
): ProxyError {
  return new ProxyError(message, { code, proxy: host, reason });
}
