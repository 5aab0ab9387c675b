import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Authorization } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { BadNotion, flood, trickle } from '../support/bad.notion.js';
import { databaseFor, NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import type { RefreshMemoryOrder, RefreshMemoryReport } from '../support/refresh-memory.process.js';
import { sqlite } from '../support/storage.harness.js';

const MEMORY_PROCESS = resolve(import.meta.dirname, '../../build/test/support/refresh-memory.process.js');
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const WARM_UP = 10;
const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy'];
const JSON_HEAD = { 'content-type': 'application/json' };

let simulator: NotionSimulator;
let storage: Awaited<ReturnType<typeof databaseFor>>;
let bad: BadNotion;
const apps: NotionApp[] = [];

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  storage = await databaseFor(sqlite);
  bad = await BadNotion.start();
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await bad.close();
  await simulator.close();
  await storage.drop();
});

async function startApp(options: NotionAppOptions = {}): Promise<NotionApp> {
  const app = await NotionApp.start(simulator, { ...storage.options, apiBaseUrl: bad.url, ...options });
  apps.push(app);
  return app;
}

async function keep(app: NotionApp): Promise<Authorization> {
  return app.keep(simulator.grant());
}

function refresh(app: NotionApp, { id }: Authorization) {
  return app.refreshes.refresh(id, { trigger: 'manual' });
}

function callMe(app: NotionApp, { id }: Authorization): Promise<Response> {
  return app.clients.fetchFor(id)('/v1/users/me', { headers: { 'notion-version': '2026-03-11' } });
}

describe('the token endpoint', () => {
  it('G3: is sent each request once, on a connection of its own', async () => {
    const app = await startApp();
    const lost = [await keep(app), await keep(app)];
    bad.behaviour = (response) => response.destroy();
    for (const authorization of lost) {
      expect(await refresh(app, authorization)).toMatchObject({ kind: 'unknown' });
    }
    // Refused, and the connection is offered for more.
    bad.behaviour = (response) =>
      response.writeHead(429, { ...JSON_HEAD, connection: 'keep-alive' }).end('{"code":"rate_limited"}');
    await refresh(app, await keep(app));
    expect(bad.requests.map(({ connection }) => connection)).toEqual([0, 1, 2]);
    expect(new Set(bad.requests.map(({ body }) => body)).size).toBe(3);
  });

  it('J4: is cut off at 64 KiB, whatever its answer claims to be', async () => {
    const app = await startApp();
    const deep = '['.repeat(30_000);
    const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
    const behaviours: readonly (readonly [string, BadNotion['behaviour']])[] = [
      ['1 GiB', flood(GIB)],
      ['1 GiB of a known length', flood(GIB, { 'content-length': String(GIB) })],
      ['compressed', (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)],
      ['deep', (response) => response.writeHead(200, JSON_HEAD).end(deep)],
      ['deeper than the limit', (response) => response.writeHead(200, JSON_HEAD).end(deep.repeat(4))],
      ['a refusal without an end', flood(GIB, {}, 400)],
    ];
    for (const [what, behaviour] of behaviours) {
      bad.behaviour = behaviour;
      const authorization = await keep(app);
      expect([what, (await refresh(app, authorization)).kind]).toEqual([what, 'unknown']);
      expect(await app.find(authorization.id)).toMatchObject({ version: 1, status: 'active' });
    }
    expect(bad.bytesWritten).toBeLessThan(32 * MIB);
  });

  it('J4: costs no memory, however much it sends', async () => {
    const app = await startApp();
    const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
    const [big, packed] = [flood(GIB), flood(bomb.length)];
    let turn = 0;
    bad.behaviour = (response, request) => {
      turn += 1;
      if (turn <= WARM_UP) response.writeHead(200, JSON_HEAD).end('{}');
      else if (turn % 2 === 0) big(response, request);
      else if (turn % 3 === 0) packed(response, request);
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    };
    const ids: string[] = [];
    for (let index = 0; index < 40; index += 1) ids.push((await keep(app)).id);
    // Young garbage waits for its collection as long as V8 pleases; a small nursery leaves what is held at once.
    const child = fork(MEMORY_PROCESS, {
      execArgv: ['--no-warnings', '--expose-gc', '--max-semi-space-size=1'],
    });
    const order: RefreshMemoryOrder = { options: app.options, ids, warmUp: WARM_UP };
    child.send(order);
    const [report] = (await once(child, 'message')) as [RefreshMemoryReport];
    await once(child, 'exit');
    expect(report.error).toBeNull();
    expect(new Set(report.kinds)).toEqual(new Set(['unknown']));
    expect(report.grownBytes / MIB).toBeLessThan(10);
  }, 60_000);

  it('J5: frees its caller after the wait, and the socket at the deadline, when it answers a byte at a time', async () => {
    const app = await startApp({ refresh: { callerWaitMs: 200, requestTimeoutMs: 4_000, leaseMs: 20_000 } });
    const authorization = await keep(app);
    bad.behaviour = trickle(100);
    const begunAtMs = performance.now();
    expect(await refresh(app, authorization)).toMatchObject({ kind: 'busy' });
    expect(bad.connections[0]?.closedAtMs ?? null).toBeNull();
    while (bad.connections[0]?.closedAtMs == null) await sleep(20);
    expect(bad.connections[0].closedAtMs - begunAtMs).toBeGreaterThanOrEqual(4_000);
    expect(bad.requests).toHaveLength(1);
  });
});

describe('the API', () => {
  it('J4: is cut off at `outbound.maxAnswerBytes`, packed or not', async () => {
    const app = await startApp({ outbound: { maxAnswerBytes: MIB } });
    const authorization = await keep(app);
    const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
    bad.behaviour = flood(GIB);
    await expect(callMe(app, authorization)).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' },
    });
    bad.behaviour = (response) =>
      response.writeHead(200, { ...JSON_HEAD, 'content-encoding': 'gzip' }).end(bomb);
    await expect(callMe(app, authorization)).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: 'ERR_BUFFER_TOO_LARGE' },
    });
    expect(bad.bytesWritten).toBeLessThan(32 * MIB);
    bad.behaviour = (response) => response.writeHead(200, JSON_HEAD).end(JSON.stringify('x'.repeat(MIB - 2)));
    expect(await (await callMe(app, authorization)).text()).toHaveLength(MIB);
  });

  it('J5: ends at its time limit, with its socket, when it answers a byte at a time', async () => {
    const app = await startApp({ outbound: { callTimeoutMs: 400 } });
    const authorization = await keep(app);
    bad.behaviour = trickle(50);
    const begunAtMs = performance.now();
    await expect(callMe(app, authorization)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - begunAtMs).toBeGreaterThanOrEqual(395);
    while (bad.connections[0]?.closedAtMs == null) await sleep(20);
  });
});

describe('a certificate that nobody signed', () => {
  it('G15: means that nothing was sent, and says tls', async () => {
    const untrusted = await BadNotion.start('https');
    const app = await startApp({ apiBaseUrl: untrusted.url });
    const authorization = await keep(app);
    try {
      expect(await refresh(app, authorization)).toMatchObject({ kind: 'not_sent', failure: { code: 'tls' } });
      await expect(callMe(app, authorization)).rejects.toMatchObject({ message: 'fetch failed' });
      expect(untrusted.requests).toEqual([]);
      expect(await app.find(authorization.id)).toMatchObject({ version: 1, status: 'active' });
    } finally {
      await untrusted.close();
    }
  });
});

describe('variables that name a proxy', () => {
  let proxy: Server;
  let bytes: number;

  beforeEach(async () => {
    bytes = 0;
    proxy = createServer((socket) => {
      socket.on('data', (chunk) => (bytes += chunk.length));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const { port } = proxy.address() as AddressInfo;
    for (const name of PROXY_VARIABLES) process.env[name] = `http://127.0.0.1:${port}`;
  });

  afterEach(() => {
    for (const name of PROXY_VARIABLES) Reflect.deleteProperty(process.env, name);
    proxy.close();
  });

  it('G14: bring no header in clear before it: no request goes there', async () => {
    const app = await startApp({ apiBaseUrl: simulator.url });
    const authorization = await keep(app);
    expect((await callMe(app, authorization)).status).toBe(200);
    expect(await refresh(app, authorization)).toMatchObject({ kind: 'renewed' });
    expect(bytes).toBe(0);
  });
});
