import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { APIResponseError, UnknownHTTPResponseError } from '@notionhq/client';
import type { Authorization } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { OutboundApp } from '../support/outbound.app.js';

const BOUND = 20;

let simulator: NotionSimulator;
let app: OutboundApp;
let authorization: Authorization;

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  app = await OutboundApp.start({ simulator, outbound: { maxConcurrentPerAuthorization: BOUND } });
  authorization = await app.connect();
});

afterEach(async () => {
  await app.close();
  await simulator.close();
});

const callSdk = (): Promise<unknown> => app.clients.forAuthorization(authorization.id).users.me({});
const fetchMe = (headers: Record<string, string> = {}): Promise<Response> =>
  app.clients.fetchFor(authorization.id)('/v1/users/me', {
    headers: { 'notion-version': '2026-03-11', ...headers },
  });
const storedStatus = async (): Promise<string | undefined> =>
  (await app.store.find(authorization.id))?.status;

describe('a live token', () => {
  it('is attached to calls of the official SDK and of fetch', async () => {
    await expect(callSdk()).resolves.toMatchObject({
      type: 'bot',
      bot: { workspace_name: authorization.workspaceName },
    });
    const response = await fetchMe();
    expect(response).toBeInstanceOf(Response);
    await expect(response.json()).resolves.toMatchObject({ id: authorization.botId });
  });

  it('serves 10,000 calls without one token request', async () => {
    const sdk = app.clients.forAuthorization(authorization.id);
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 1_000 }, () => sdk.users.me({})));
    }
    expect(simulator.ledger.apiCalls({ status: 200 })).toBe(10_000);
    expect(simulator.ledger.tokenRequests()).toBe(0);
  });

  it('G5: is sent whatever `auth` or `authorization` the caller gives, and stays its own authorization', async () => {
    const other = await app.connect();
    const foreign = await app.tokens.getAccessToken(other.id);
    const sdk = app.clients.forAuthorization(authorization.id);
    await sdk.search({ auth: foreign.reveal() });
    const response = await fetchMe({ Authorization: `Bearer ${foreign.reveal()}` });
    await expect(response.json()).resolves.toMatchObject({ id: authorization.botId });
    await expect(sdk.users.me({})).resolves.toMatchObject({ id: authorization.botId });
    expect(simulator.ledger.apiCalls({ botId: other.botId })).toBe(0);
  });
});

describe('a dead token', () => {
  it('costs 1,000 SDK calls at once one refresh, no failure, and at most the calls on the wire; twice in a row', async () => {
    const sdk = app.clients.forAuthorization(authorization.id);
    for (let round = 0; round < 2; round++) {
      simulator.expireAccessToken(authorization.botId);
      const mark = simulator.ledger.mark();
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => sdk.users.me({})));
      const seen = simulator.ledger.since(mark);
      expect(answers).toHaveLength(1_000);
      expect(seen.refreshes()).toBe(1);
      expect(seen.apiCalls({ status: 200 })).toBe(1_000);
      expect(seen.apiCalls({ status: 401 })).toBeGreaterThan(0);
      expect(seen.apiCalls({ status: 401 })).toBeLessThanOrEqual(BOUND);
      const stored = await app.store.readAccessToken(authorization.id);
      expect(simulator.ledger.live(authorization.botId).accessToken).toBe(stored?.token?.reveal());
    }
  });

  it('stays in the queue while its successor is being fetched slowly', async () => {
    simulator.configure({ delayMs: { token: 300 } });
    simulator.expireAccessToken(authorization.botId);
    const first = fetchMe();
    while (simulator.ledger.refreshes() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const later = Array.from({ length: 100 }, () => fetchMe());
    const statuses = (await Promise.all([first, ...later])).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(simulator.ledger.apiCalls({ status: 401 })).toBe(1);
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('G8: is replaced by the pair another process stored, without a refresh of our own', async () => {
    await fetchMe();
    const peer = await OutboundApp.start({ simulator, beside: app });
    try {
      simulator.expireAccessToken(authorization.botId);
      await peer.clients.forAuthorization(authorization.id).users.me({});
      expect(simulator.ledger.refreshes()).toBe(1);
      await expect(callSdk()).resolves.toMatchObject({ id: authorization.botId });
      expect(simulator.ledger.refreshes()).toBe(1);
    } finally {
      await peer.close();
    }
  });

  it('repeats the same POST body', async () => {
    simulator.expireAccessToken(authorization.botId);
    const sdk = app.clients.forAuthorization(authorization.id);
    await expect(sdk.search({ query: 'no page is called this' })).resolves.toMatchObject({ results: [] });
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('G7: does not repeat a stream, says so, and the next call works', async () => {
    simulator.expireAccessToken(authorization.botId);
    const stream = new Blob(['{}']).stream() as unknown as ReadableStream;
    const call = app.clients.fetchFor(authorization.id)('/v1/search', {
      method: 'POST',
      headers: { 'notion-version': '2026-03-11', 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    });
    await expect(call).rejects.toMatchObject({
      code: 'notion_request_refused',
      refusal: 'body_not_replayable',
    });
    expect(simulator.ledger.apiCalls()).toBe(1);
    await expect(callSdk()).resolves.toBeDefined();
    expect(simulator.ledger.apiCalls({ status: 401 })).toBe(1);
    expect(simulator.ledger.refreshes()).toBe(1);
  });
});

describe('G7: an answer that is no refusal of the token', () => {
  it.each([400, 403, 404, 409, 429, 500, 502, 503, 529])(
    'with status %i reaches the caller as it is and refreshes nothing',
    async (status) => {
      simulator.fail('api', { kind: 'status', status, retryAfter: 7, code: 'some_code' });
      const response = await fetchMe();
      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe('7');
      await expect(response.json()).resolves.toMatchObject({ code: 'some_code' });
      expect(simulator.ledger.tokenRequests()).toBe(0);
      expect(simulator.ledger.apiCalls()).toBe(1);
    },
  );

  it("gives SDK callers the SDK's own error", async () => {
    const sdk = app.clients.forAuthorization(authorization.id, { retry: false });
    simulator.fail('api', { kind: 'status', status: 403, code: 'restricted_resource' });
    await expect(sdk.users.me({})).rejects.toBeInstanceOf(APIResponseError);
    simulator.clearFaults();
    simulator.fail('api', { kind: 'html', status: 403 });
    await expect(sdk.users.me({})).rejects.toBeInstanceOf(UnknownHTTPResponseError);
    expect(simulator.ledger.tokenRequests()).toBe(0);
  });

  it.each([
    ['an HTML page of the edge', { kind: 'html', status: 401 }],
    ["another code than Notion's", { kind: 'status', status: 401, code: 'proxy_login_required' }],
    ['JSON of another shape', { kind: 'status', status: 401, body: '"unauthorized"' }],
  ] as const)('with status 401 and %s refreshes nothing', async (_name, fault) => {
    simulator.fail('api', fault);
    await expect(fetchMe()).resolves.toHaveProperty('status', 401);
    expect(simulator.ledger.tokenRequests()).toBe(0);
    expect(simulator.ledger.apiCalls()).toBe(1);
  });

  it("leaves the SDK's retry after 429 as it is: three requests, not nine", async () => {
    simulator.fail('api', { kind: 'status', status: 429, retryAfter: 0 });
    await expect(callSdk()).rejects.toMatchObject({ code: 'rate_limited' });
    expect(simulator.ledger.apiCalls()).toBe(3);
  });
});

describe('a token that cannot be renewed', () => {
  it('G9: costs 100 calls on a revoked grant one refresh, then nothing more', async () => {
    simulator.revokeGrant(authorization.botId);
    const calls = await Promise.allSettled(Array.from({ length: 100 }, callSdk));
    expect(new Set(calls.map((call) => call.status === 'rejected' && codeOf(call.reason)))).toEqual(
      new Set(['notion_reconnect_required']),
    );
    expect(simulator.ledger.refreshes()).toBe(1);
    expect(simulator.ledger.apiCalls()).toBeLessThanOrEqual(BOUND);
    const mark = simulator.ledger.mark();
    for (let call = 0; call < 20; call++) {
      await expect(callSdk()).rejects.toMatchObject({ code: 'notion_reconnect_required' });
    }
    expect(simulator.ledger.since(mark).requests()).toEqual([]);
  });

  it('G9: costs one refresh when Notion goes on to refuse the new token, and works again when it no longer does', async () => {
    const refusal = simulator.fail('api', { kind: 'status', status: 401, code: 'unauthorized' });
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetchMe()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    await expect(fetchMe()).resolves.toHaveProperty('status', 401);
    expect(simulator.ledger.refreshes()).toBe(1);
    refusal.clear();
    await expect(fetchMe()).resolves.toHaveProperty('status', 200);
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('marks nobody while the client itself is refused', async () => {
    simulator.expireAccessToken(authorization.botId);
    simulator.rotateClientSecret('secret_another_one_that_we_do_not_have');
    for (let call = 0; call < 5; call++) {
      await expect(callSdk()).rejects.toMatchObject({ code: 'notion_refresh_failed' });
    }
    await expect(storedStatus()).resolves.toBe('active');
  });

  it('G11: sends nothing for an unknown or disconnected authorization', async () => {
    const unknown = app.clients.forAuthorization('00000000-0000-4000-8000-000000000000');
    await expect(unknown.users.me({})).rejects.toMatchObject({ code: 'notion_authorization_not_found' });
    await app.store.disconnect(authorization.id, 'owner-1');
    await expect(callSdk()).rejects.toMatchObject({ code: expect.stringMatching(/^notion_/) });
    expect(simulator.ledger.requests()).toEqual([]);
  });
});

describe('another origin', () => {
  let elsewhere: Server;
  let connections: number;

  beforeEach(async () => {
    connections = 0;
    elsewhere = createServer((_request, response) => response.end('{}'));
    elsewhere.on('connection', () => connections++);
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    elsewhere.close();
  });

  const elsewhereUrl = (): string => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;

  it('G1: is refused before a socket opens or a token is asked for', async () => {
    const fetch = app.clients.fetchFor(authorization.id);
    const host = elsewhereUrl().slice('http:'.length);
    for (const url of [
      `${elsewhereUrl()}/v1/users/me`,
      `${host}/v1/users/me`,
      `${simulator.url}@${host.slice(2)}/v1`,
    ]) {
      await expect(fetch(url)).rejects.toMatchObject({ refusal: 'foreign_origin' });
    }
    await expect(fetch(new Request(elsewhereUrl()))).rejects.toMatchObject({ refusal: 'foreign_origin' });
    await expect(fetch('/v1/oauth/token', { method: 'POST' })).rejects.toMatchObject({
      refusal: 'oauth_path',
    });
    await expect(fetch('/v1/pages/../users/me')).rejects.toMatchObject({ refusal: 'path_traversal' });
    expect(connections).toBe(0);
    expect(simulator.ledger.requests()).toEqual([]);
  });

  it('G6: is what OAuth endpoints of the SDK are to an authorization', async () => {
    const sdk = app.clients.forAuthorization(authorization.id);
    const revoke = sdk.oauth.revoke({ client_id: 'c', client_secret: 's', token: 't' });
    await expect(revoke).rejects.toMatchObject({ refusal: 'oauth_path' });
  });

  it.each([301, 302, 303, 307, 308] as const)('G2: is not followed to by a %i', async (status) => {
    simulator.fail('api', { kind: 'redirect', status, location: `${elsewhereUrl()}/v1/users/me` });
    const response = await fetchMe();
    expect(response.status).toBe(status);
    expect(response.headers.get('location')).toBe(`${elsewhereUrl()}/v1/users/me`);
    expect(connections).toBe(0);
  });

  it('G12: cannot be named through options of the SDK', async () => {
    const options = { baseUrl: elsewhereUrl(), fetch: globalThis.fetch, auth: 'other' } as Record<
      string,
      unknown
    >;
    const sdk = app.clients.forAuthorization(authorization.id, options);
    await expect(sdk.users.me({})).resolves.toMatchObject({ id: authorization.botId });
    expect(connections).toBe(0);
  });
});

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
