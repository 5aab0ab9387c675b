import { APIErrorCode, Client, LogLevel } from '@notionhq/client';
import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator, type Fault, type SimulatedAuthorization } from './index.js';

describe('faults', () => {
  let simulator: NotionSimulator;
  let notion: RawNotion;
  let stored: SimulatedAuthorization;

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    notion = new RawNotion(simulator);
    stored = simulator.grant();
  });

  afterEach(() => simulator.close());

  const refresh = () => notion.refresh(stored.refreshToken);
  const isSpent = () => simulator.ledger.token(stored.refreshToken!)?.status === 'spent';
  const lastRefresh = () => simulator.ledger.requests({ grantType: 'refresh_token' }).at(-1);

  describe('of the connection', () => {
    it.each([
      ['drop_before', false],
      ['drop_after', true],
    ] as const)('%s: no answer; the refresh token is spent: %s', async (kind, spent) => {
      for (const reset of [false, true]) {
        stored = simulator.grant();
        simulator.fail('token', { kind, reset }, { times: 1 });
        await expect(refresh()).rejects.toThrow();
        expect(isSpent()).toBe(spent);
        expect(lastRefresh()).toMatchObject({ status: null, rotated: spent, fault: kind });
      }
      expect(simulator.ledger.refreshes()).toBe(2);
      expect(simulator.ledger.rotations()).toBe(spent ? 2 : 0);
    });

    it('truncate: the connection ends inside the body', async () => {
      simulator.fail('token', { kind: 'truncate', bytes: 10 }, { times: 1 });
      await expect(refresh()).rejects.toThrow();
      expect(isSpent()).toBe(true);
    });

    it('wrong_content_length: the body is shorter than announced', async () => {
      simulator.fail('token', { kind: 'wrong_content_length' }, { times: 1 });
      await expect(refresh()).rejects.toThrow();
    });

    it('slow_body: headers at once, the body over time', async () => {
      simulator.fail('api', { kind: 'slow_body', ms: 80 }, { times: 1 });
      const startedAt = performance.now();
      const headers = { authorization: `Bearer ${stored.accessToken}`, 'notion-version': '2026-03-11' };
      const response = await fetch(`${simulator.url}/v1/users/me`, { headers });
      const headersMs = performance.now() - startedAt;
      expect(await response.json()).toMatchObject({ object: 'user' });
      expect(performance.now() - startedAt - headersMs).toBeGreaterThan(40);
    });
  });

  describe('of the body', () => {
    it('cut_json: a complete answer that does not parse', async () => {
      simulator.fail('token', { kind: 'cut_json' }, { times: 1 });
      const { status, text } = await refresh();
      expect(status).toBe(200);
      expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
      expect(isSpent()).toBe(true);
    });

    it('oversized_body: a valid answer of many bytes', async () => {
      simulator.fail('token', { kind: 'oversized_body', bytes: 200_000 }, { times: 1 });
      const { text, json } = await refresh();
      expect(text.length).toBeGreaterThan(200_000);
      expect(simulator.ledger.isLive(json.access_token)).toBe(true);
    });

    it('override and missing_field: fields replaced, added, left out', async () => {
      simulator.fail(
        'token',
        { kind: 'override', fields: { workspace_id: 'w2' }, omit: ['owner'] },
        { times: 1 },
      );
      simulator.fail('token', { kind: 'missing_field' }, { times: 1 });
      const { json: other } = await refresh();
      expect(other).toMatchObject({ workspace_id: 'w2' });
      expect(other).not.toHaveProperty('owner');
      expect((await notion.refresh(other.refresh_token)).json).not.toHaveProperty('access_token');
    });
  });

  describe('in place of the answer', () => {
    it('html: a page of the edge, without a Notion request id', async () => {
      simulator.fail('token', { kind: 'html', status: 403 }, { times: 1 });
      const { status, headers } = await refresh();
      expect(status).toBe(403);
      expect(headers.get('content-type')).toContain('text/html');
      expect([headers.has('cf-ray'), headers.has('x-notion-request-id')]).toEqual([true, false]);
      expect(isSpent()).toBe(false);
    });

    it('status: an OAuth error in the shape in force, processed only when told so', async () => {
      simulator.fail('token', { kind: 'status', status: 503, processed: true }, { times: 1 });
      simulator.fail('token', { kind: 'status', status: 400, code: 'unauthorized_client' }, { times: 1 });
      const unavailable = await refresh();
      expect([unavailable.status, unavailable.json.error, isSpent()]).toEqual([
        503,
        'service_unavailable',
        true,
      ]);
      simulator.configure({ oauthErrorShape: 'api' });
      expect((await refresh()).json.code).toBe('unauthorized_client');
    });

    it('status: a rate limit as the official client understands it', async () => {
      const handle = simulator.fail('api', { kind: 'status', status: 429, retryAfter: 7 });
      const client = new Client({
        auth: stored.accessToken,
        baseUrl: simulator.url,
        retry: false,
        logLevel: LogLevel.ERROR,
      });
      await expect(client.users.me({})).rejects.toMatchObject({ code: APIErrorCode.RateLimited });
      const { headers, json } = await notion.me(stored.accessToken);
      expect(headers.get('retry-after')).toBe('7');
      expect(json['additional_data']).toMatchObject({ retry_after: '7' });
      handle.clear();
      await expect(client.users.me({})).resolves.toMatchObject({ id: stored.botId });
    });

    it('status: takes any body and headers', async () => {
      const fault: Fault = { kind: 'status', status: 418, body: 'teapot', headers: { 'x-extra': 'yes' } };
      simulator.fail('/v1/users/me', fault, { times: 1 });
      const { status, text, headers } = await notion.me(stored.accessToken);
      expect([status, text, headers.get('x-extra')]).toEqual([418, 'teapot', 'yes']);
    });

    it('redirect: points elsewhere', async () => {
      simulator.fail(
        'token',
        { kind: 'redirect', status: 307, location: 'http://127.0.0.1:9/' },
        { times: 1 },
      );
      const { status, headers } = await refresh();
      expect([status, headers.get('location'), isSpent()]).toEqual([307, 'http://127.0.0.1:9/', false]);
    });
  });

  describe('of time', () => {
    it('delay: processed on arrival, or only afterwards', async () => {
      for (const processed of [true, false]) {
        stored = simulator.grant();
        simulator.fail('token', { kind: 'delay', ms: 60, processed }, { times: 1 });
        const answer = refresh();
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect(isSpent()).toBe(processed);
        expect((await answer).status).toBe(200);
        expect(isSpent()).toBe(true);
      }
    });

    it('afterMs: any fault may come late', async () => {
      simulator.fail('token', { kind: 'status', status: 500, afterMs: 40 }, { times: 1 });
      const startedAt = performance.now();
      expect((await refresh()).status).toBe(500);
      expect(performance.now() - startedAt).toBeGreaterThan(35);
    });
  });

  describe('planning', () => {
    const unavailable: Fault = { kind: 'status', status: 503 };

    it('strikes as often as asked, after as many as asked, one at a time', async () => {
      const handle = simulator.fail('api', unavailable, { times: 2, skip: 1 });
      const statuses: number[] = [];
      for (let call = 0; call < 5; call += 1) statuses.push((await notion.me(stored.accessToken)).status);
      expect(statuses).toEqual([200, 503, 503, 200, 200]);
      expect(handle.hits).toBe(2);
    });

    it('tells exchange from refresh, one bot from another, and paths from each other', async () => {
      const other = simulator.grant();
      simulator.fail('exchange', unavailable);
      simulator.fail('refresh', unavailable, { botId: other.botId });
      simulator.fail('/v1/search', unavailable);
      expect((await refresh()).status).toBe(200);
      expect((await notion.refresh(other.refreshToken)).status).toBe(503);
      expect((await notion.exchange('any')).status).toBe(503);
      expect((await notion.me(other.accessToken)).status).toBe(200);
      expect((await notion.call('POST', '/v1/search', other.accessToken, {})).status).toBe(503);
    });

    it('ends with clearFaults and with reset', async () => {
      simulator.fail('token', unavailable);
      simulator.clearFaults();
      simulator.fail('token', unavailable);
      simulator.reset();
      expect((await refresh()).status).toBe(200);
    });
  });
});
