import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RequestTimeoutError } from '@notionhq/client';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionRefreshBusyError } from '../domain/errors.js';
import { AccessToken } from '../domain/secret.js';
import type { GetAccessTokenOptions, NotionTokenService } from '../refresh/notion-token.service.js';
import { SystemClock } from '../domain/clock.js';
import { UpstreamConnector } from '../config/upstream.connector.js';
import { NoMetrics } from '../domain/notion-metrics.js';
import { NoTracing } from '../domain/notion-tracing.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { AccessTokenCache } from '../refresh/access-token.cache.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { AuthorizedCalls } from './authorized-calls.js';
import { CallMeter } from './call.meter.js';
import { NotionClientFactory, type NotionFetch } from './notion-client.factory.js';
import { NotionHttpPool } from './notion-http.pool.js';

const UNAUTHORIZED = JSON.stringify({ object: 'error', status: 401, code: 'unauthorized', message: 'no' });
/** Long enough for what answers at once, however busy the machine is. */
const TIMEOUT_MS = 2_000;

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

let server: Server;
let handle: Handler;
let pool: NotionHttpPool;
let tokens: FakeTokens;
let factory: NotionClientFactory;
let fetch: NotionFetch;

beforeAll(() => {
  Logger.overrideLogger(false);
});

beforeEach(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      handle(request, response, Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const config = {
    apiBaseUrl: `http://127.0.0.1:${port}`,
    outbound: {
      proxy: null,
      maxConcurrentPerAuthorization: 2,
      callTimeoutMs: TIMEOUT_MS,
      tokenCacheSize: 1,
      tokenCacheTtlMs: 1_000,
    },
  } as NotionAuthConfig;
  const clock = new SystemClock();
  pool = new NotionHttpPool(config, new UpstreamConnector(config, clock));
  tokens = new FakeTokens();
  const watch = new AuthorizationWatch(new NoMetrics(), clock);
  const cache = new AccessTokenCache(config);
  const recent = new RecentFailures(clock);
  const meter = new CallMeter(new NoMetrics(), new NoTracing(), watch, recent, cache, clock);
  const calls = new AuthorizedCalls(tokens as unknown as NotionTokenService, pool, meter, config);
  factory = new NotionClientFactory(calls, pool);
  fetch = factory.fetchFor('a');
  handle = (_request, response) => response.end('{}');
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Stands in for the token service: versions count up with every refusal, after `refreshMs`. */
class FakeTokens {
  version = 1;
  refreshMs = 0;
  renewals = 0;
  failure: Error | undefined;
  private renewal: Promise<void> | undefined;

  async getAccessToken(id: string, { rejected }: GetAccessTokenOptions = {}): Promise<AccessToken> {
    if (rejected !== undefined && rejected.version >= this.version) await (this.renewal ??= this.renew());
    return new AccessToken(`ntn_${this.version}`, id, this.version);
  }

  forget(): void {
    // Nothing is kept.
  }

  private async renew(): Promise<void> {
    this.renewals++;
    await sleep(this.refreshMs);
    this.renewal = undefined;
    if (this.failure !== undefined) throw this.failure;
    this.version++;
  }
}

/** Refuses every token before `version`. */
const acceptFrom =
  (version: number, accepted: Handler = (_request, response) => response.end('{}')): Handler =>
  (request, response, body) => {
    if (versionOf(request) >= version) accepted(request, response, body);
    else response.writeHead(401, { 'content-type': 'application/json' }).end(UNAUTHORIZED);
  };

const versionOf = (request: IncomingMessage): number => Number(request.headers.authorization?.split('_')[1]);

describe('what is sent', () => {
  it.each([
    ['a string', () => 'text', 'text/plain;charset=UTF-8'],
    ['bytes', () => new TextEncoder().encode('text'), undefined],
    ['a view of bytes', () => Buffer.from('a text b').subarray(2, 6), undefined],
    ['an ArrayBuffer', () => new TextEncoder().encode('text').buffer, undefined],
    ['a Blob', () => new Blob(['text'], { type: 'text/x-note' }), 'text/x-note'],
    [
      'URLSearchParams',
      () => new URLSearchParams({ text: '' }),
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
  ])('G7: repeats %s byte for byte', async (_name, body, contentType) => {
    const seen: string[] = [];
    handle = (request, response, received) => {
      seen.push(`${request.method} ${request.headers['content-type']} ${received.toString()}`);
      acceptFrom(2)(request, response, received);
    };
    const response = await fetch('/v1/search', { method: 'post', body: body() });
    expect(response.status).toBe(200);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBe(seen[0]);
    expect(seen[0]).toMatch(
      new RegExp(`^POST ${contentType?.replaceAll(/[/+]/g, '.') ?? 'undefined'} text=?$`),
    );
  });

  it('G7: repeats a form with the boundary that its content type names', async () => {
    const seen: { type: string; body: string }[] = [];
    handle = (request, response, received) => {
      seen.push({ type: request.headers['content-type'] ?? '', body: received.toString() });
      acceptFrom(2)(request, response, received);
    };
    const form = new FormData();
    form.append('file', new Blob(['bytes of a file']), 'a.txt');
    await fetch('/v1/file_uploads/1/send', { method: 'POST', body: form });
    const boundary = /boundary=(.+)$/.exec(seen[0]!.type)![1]!;
    expect(seen[0]!.body).toContain(`--${boundary}`);
    expect(seen[0]!.body).toContain('bytes of a file');
    expect(seen[1]).toEqual(seen[0]);
  });

  it('takes a whole Request, and keeps what its owner changes later out of the repetition', async () => {
    const seen: string[] = [];
    handle = (request, response, received) => {
      seen.push(`${request.method} ${String(request.headers['x-own'])} ${received.toString()}`);
      acceptFrom(2)(request, response, received);
    };
    await fetch(
      new Request(`${pool.origin}/v1/search`, { method: 'POST', body: 'one', headers: { 'x-own': '1' } }),
    );
    tokens.version = 1;
    const bytes = Buffer.from('two');
    const call = fetch('/v1/search', { method: 'POST', body: bytes, headers: { 'x-own': '2' } });
    await sleep(0);
    bytes.fill('x');
    await call;
    tokens.version = 1;
    const { buffer } = new TextEncoder().encode('six');
    const last = fetch('/v1/search', { method: 'POST', body: buffer, headers: { 'x-own': '3' } });
    await sleep(0);
    new Uint8Array(buffer).fill(0x78);
    await last;
    const sent = ['1 one', '2 two', '3 six'].flatMap((one) => [`POST ${one}`, `POST ${one}`]);
    expect(seen).toEqual(sent);
  });

  it.each([42, true, {}, { toString: () => 'x' }])('sends no body of the kind %j', async (body) => {
    let connections = 0;
    server.on('connection', () => (connections += 1));
    const call = fetch('/v1/search', { method: 'POST', body: body as never });
    await expect(call).rejects.toThrow(new TypeError('fetch cannot send a body of this kind'));
    expect(connections).toBe(0);
  });

  it('sends a stream once, while the token lives', async () => {
    handle = (_request, response, received) => response.end(received);
    const body = new Blob(['streamed']).stream() as unknown as ReadableStream;
    const response = await fetch('/v1/search', { method: 'POST', body, duplex: 'half' });
    await expect(response.text()).resolves.toBe('streamed');
  });

  it('repeats no stream when the token is refused', async () => {
    handle = acceptFrom(2);
    const body = new Blob(['streamed']).stream() as unknown as ReadableStream;
    const call = fetch('/v1/search', { method: 'POST', body, duplex: 'half' });
    await expect(call).rejects.toMatchObject({ refusal: 'body_not_replayable' });
  });

  it('G5: refuses a header that would begin another, before a token is asked for', async () => {
    const call = fetch('/v1/users/me', { headers: [['x-custom', 'a\r\nx-other: b']] });
    await expect(call).rejects.toMatchObject({ refusal: 'invalid_header' });
  });

  it('G5: refuses a method that would begin another request, and those that no fetch sends', async () => {
    let connections = 0;
    server.on('connection', () => (connections += 1));
    const begun = 'GET /v1/oauth/token HTTP/1.1\r\nhost: x\r\n\r\nGET';
    const refused = async (method: string) =>
      fetch('/v1/users/me', { method }).catch((reason: unknown) => reason);
    for (const method of [begun, 'GET ', 'G\nET', '', 'GÉT']) {
      expect(await refused(method)).toEqual(new TypeError('fetch sends no such method'));
    }
    for (const method of ['CONNECT', 'trace', 'Track']) {
      const expected = new TypeError(`fetch does not send ${method.toUpperCase()} requests`);
      expect(await refused(method)).toEqual(expected);
    }
    expect(connections).toBe(0);
  });

  it('G4: does not show a token that cannot be sent', async () => {
    tokens.getAccessToken = (id) => Promise.resolve(new AccessToken('ntn_canary\r\nx: y', id, 1));
    const error: unknown = await fetch('/v1/users/me').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error)).not.toContain('canary');
  });
});

describe('what comes back', () => {
  it.each(['gzip', 'br', 'deflate'])('accepts %s, as fetch does', async (encoding) => {
    handle = (request, response) => {
      expect(request.headers['accept-encoding']).toContain(encoding);
      response.end('{"plain":true}');
    };
    await expect((await fetch('/v1/users/me')).json()).resolves.toEqual({ plain: true });
  });

  it('decodes a compressed answer, also the one that decides about a repetition', async () => {
    handle = (request, response) => {
      const isLive = versionOf(request) > 1;
      response.writeHead(isLive ? 200 : 401, { 'content-encoding': 'gzip' });
      response.end(gzipSync(isLive ? '{"ok":true}' : UNAUTHORIZED));
    };
    await expect((await fetch('/v1/users/me')).json()).resolves.toEqual({ ok: true });
    expect(tokens.renewals).toBe(1);
  });

  it('rejects with a TypeError and its cause when no whole answer comes', async () => {
    handle = (request) => request.socket.destroy();
    await expect(fetch('/v1/users/me')).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: expect.objectContaining({ code: 'UND_ERR_SOCKET' }),
    });
    handle = (request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setTimeout(() => request.socket.destroy(), 10);
    };
    await expect(fetch('/v1/users/me')).rejects.toMatchObject({ name: 'TypeError' });
    expect(tokens.renewals).toBe(0);
  });

  it('gives an event stream as it comes, beyond the time limit of a call, until its reader cancels', async () => {
    let closed = false;
    handle = (_request, response) => {
      response.on('close', () => (closed = true));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      setTimeout(() => response.write('data: 2\n\n'), TIMEOUT_MS + 50);
    };
    const reader = (await fetch('/v1/sessions/1')).body!.getReader();
    const read = async (): Promise<string> =>
      Buffer.from((await reader.read()).value as Uint8Array).toString();
    await expect(read()).resolves.toBe('data: 1\n\n');
    await expect(read()).resolves.toBe('data: 2\n\n');
    await reader.cancel();
    await until(() => closed);
  });

  it('ends an open event stream by the signal of its caller', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    };
    const caller = new AbortController();
    const reader = (await fetch('/v1/sessions/1', { signal: caller.signal })).body!.getReader();
    await reader.read();
    caller.abort(new Error('enough'));
    await expect(reader.read()).rejects.toThrow('enough');
  });
});

describe('the queue', () => {
  it('attaches the token of the moment a call leaves it, and never one known to be refused', async () => {
    tokens.refreshMs = 60;
    const seen: number[] = [];
    handle = (request, response, body) => {
      seen.push(versionOf(request));
      acceptFrom(2)(request, response, body);
    };
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async () => (await fetch('/v1/users/me')).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(seen.filter((version) => version === 1)).toHaveLength(2);
    expect(tokens.renewals).toBe(1);
  });

  it('holds calls back during the renewal also when places are free', async () => {
    tokens.refreshMs = 60;
    let refused = 0;
    handle = (request, response, body) => {
      if (versionOf(request) === 1) refused++;
      acceptFrom(2)(request, response, body);
    };
    const first = fetch('/v1/users/me');
    await until(() => tokens.renewals === 1);
    await Promise.all([first, fetch('/v1/users/me')]);
    expect(refused).toBe(1);
  });

  it('bounds the calls on the wire of one authorization, not of two together', async () => {
    const onWire = { a: 0, b: 0, most: 0, mostOfB: 0 };
    handle = (request, response) => {
      const id = request.url === '/v1/b' ? 'b' : 'a';
      onWire[id]++;
      onWire.most = Math.max(onWire.most, onWire.a + onWire.b);
      onWire.mostOfB = Math.max(onWire.mostOfB, onWire.b);
      setTimeout(() => {
        onWire[id]--;
        response.end('{}');
      }, 20);
    };
    const other = factory.fetchFor('b');
    await Promise.all(Array.from({ length: 6 }, () => [fetch('/v1/a'), other('/v1/b')]).flat());
    expect(onWire).toMatchObject({ most: 4, mostOfB: 2 });
  });

  it('passes on why a token could not be had, and tries again with the next call', async () => {
    tokens.failure = new NotionRefreshBusyError('a');
    handle = acceptFrom(2);
    await expect(fetch('/v1/users/me')).rejects.toBe(tokens.failure);
    tokens.failure = undefined;
    await expect(fetch('/v1/users/me')).resolves.toHaveProperty('status', 200);
  });
});

describe('one caller giving up', () => {
  it('by a signal on the wire ends its own call alone', async () => {
    handle = (_request, response) => setTimeout(() => response.end('{}'), 80);
    const caller = new AbortController();
    const given = fetch('/v1/users/me', { signal: caller.signal });
    const other = fetch('/v1/users/me');
    setTimeout(() => {
      caller.abort();
    }, 30);
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    await expect(other).resolves.toHaveProperty('status', 200);
  });

  it('by a signal in the queue is never sent', async () => {
    const seen: string[] = [];
    handle = (request, response) => {
      seen.push(request.url ?? '');
      setTimeout(() => response.end('{}'), 60);
    };
    const running = [fetch('/v1/1'), fetch('/v1/2')];
    const caller = new AbortController();
    const queued = fetch('/v1/3', { signal: caller.signal });
    setTimeout(() => {
      caller.abort();
    }, 20);
    await expect(queued).rejects.toMatchObject({ name: 'AbortError' });
    await Promise.all([...running, fetch('/v1/4')]);
    expect(seen).toEqual(['/v1/1', '/v1/2', '/v1/4']);
  });

  it('before it began sends nothing and asks for no token', async () => {
    const call = fetch('/v1/users/me', { signal: AbortSignal.abort(new Error('too late')) });
    await expect(call).rejects.toThrow('too late');
  });

  it('waiting for a renewal leaves the renewal to the others', async () => {
    tokens.refreshMs = 80;
    handle = acceptFrom(2);
    const caller = new AbortController();
    const given = fetch('/v1/users/me', { signal: caller.signal });
    const other = fetch('/v1/users/me');
    await until(() => tokens.renewals === 1);
    caller.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    await expect(other).resolves.toHaveProperty('status', 200);
    expect(tokens.renewals).toBe(1);
  });

  it('by the time limit really ends the call, with an error of fetch or of the SDK', async () => {
    let closed = 0;
    handle = (_request, response) => response.on('close', () => closed++);
    await expect(fetch('/v1/users/me')).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(factory.forAuthorization('a').users.me({})).rejects.toBeInstanceOf(RequestTimeoutError);
    await until(() => closed === 2);
  });

  it('does not count the wait in the queue', async () => {
    handle = (_request, response) => setTimeout(() => response.end('{}'), TIMEOUT_MS * 0.6);
    const calls = await Promise.all(Array.from({ length: 8 }, () => fetch('/v1/users/me')));
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}
