import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UnknownHTTPResponseError } from '@notionhq/client';
import { NotionRefreshService, Secret, type Authorization } from 'nestjs-notion-auth';
import { NotionSimulator, type FaultTarget } from 'nestjs-notion-auth/testing';
import { Agent } from 'undici';
import { NotionOAuth } from '../../src/domain/notion-oauth.js';
import { ForeignServer } from '../support/foreign.server.js';
import { OutboundApp } from '../support/outbound.app.js';

const REDIRECTS = [301, 302, 303, 307, 308] as const;

let simulator: NotionSimulator;
let app: OutboundApp;
let foreign: ForeignServer;
let authorization: Authorization;

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  foreign = await ForeignServer.start();
  app = await OutboundApp.start({ simulator });
  authorization = await app.connect();
});

afterEach(async () => {
  await app.close();
  await foreign.close();
  await simulator.close();
});

const sdk = () => app.clients.forAuthorization(authorization.id, { retry: false });
const fetchMe = (init?: RequestInit) =>
  app.clients.fetchFor(authorization.id)('/v1/users/me', {
    ...init,
    headers: { 'notion-version': '2026-03-11', ...(init?.headers as Record<string, string>) },
  });
const refresh = () =>
  app.nest
    .get(NotionRefreshService)
    .refresh(authorization.id, { trigger: 'manual', seenVersion: authorization.version });

describe('an OAuth endpoint that redirects', () => {
  const ENDPOINTS: readonly (readonly [FaultTarget, (notion: NotionOAuth) => Promise<unknown>, unknown])[] = [
    [
      'exchange',
      (notion) => notion.exchange(new Secret('code'), 'https://app.example/notion/callback'),
      expect.objectContaining({ kind: 'unknown' }),
    ],
    [
      'refresh',
      (notion) => notion.refresh(new Secret('nrt_a'), { timeoutMs: 5_000 }),
      expect.objectContaining({ kind: 'unknown' }),
    ],
    [
      'introspect',
      (notion) => notion.introspect(new Secret('ntn_a')),
      expect.objectContaining({ kind: 'useless' }),
    ],
    ['revoke', (notion) => notion.revoke(new Secret('ntn_a')), false],
  ];

  it.each(ENDPOINTS)(
    'G2: is not followed by %s, neither to elsewhere nor at Notion',
    async (at, ask, told) => {
      const notion = app.nest.get(NotionOAuth);
      const locations = [
        foreign.url,
        `//${foreign.host}/v1/oauth/token`,
        '/v1/oauth/introspect',
        'token',
        '',
      ];
      for (const status of REDIRECTS) {
        for (const location of locations) {
          simulator.fail(at, { kind: 'redirect', status, location }, { times: 1 });
          const mark = simulator.ledger.mark();
          await expect(ask(notion)).resolves.toEqual(told);
          expect(simulator.ledger.since(mark).requests()).toHaveLength(1);
        }
      }
      expect(foreign.connections).toBe(0);
    },
  );

  it('G2: leaves the authorization as it is, and says redirected, not dead', async () => {
    simulator.fail('refresh', { kind: 'redirect', status: 307, location: foreign.url });
    await expect(refresh()).resolves.toMatchObject({ kind: 'unknown', failure: { status: 307 } });
    await expect(app.store.find(authorization.id)).resolves.toMatchObject({ status: 'active', version: 1 });
    expect(foreign.connections).toBe(0);
  });
});

describe('an API answer that redirects', () => {
  it.each(REDIRECTS)('G2: is an error of the SDK with status %i, for GET and POST', async (status) => {
    for (const location of [`${foreign.url}/v1/users/me`, `//${foreign.host}/`, '/v1/search']) {
      simulator.fail('api', { kind: 'redirect', status, location }, { times: 2 });
      await expect(sdk().users.me({})).rejects.toBeInstanceOf(UnknownHTTPResponseError);
      await expect(sdk().search({ query: 'x' })).rejects.toMatchObject({ status });
    }
    expect(foreign.connections).toBe(0);
    expect(simulator.ledger.apiCalls()).toBe(6);
  });

  it('G2: is not followed on demand either, nor after a renewal', async () => {
    const location = `${foreign.url}/v1/users/me`;
    simulator.fail('api', { kind: 'status', status: 401, code: 'unauthorized' }, { times: 1 });
    simulator.fail('api', { kind: 'redirect', status: 307, location });
    const answer = await fetchMe({ method: 'POST', body: '{}', redirect: 'follow' });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, location]);
    expect(simulator.ledger.refreshes()).toBe(1);
    expect(foreign.connections).toBe(0);
  });
});

describe('a token of odd characters', () => {
  const ODD: readonly unknown[] = [
    'ntn_canary\r\nx-other: y',
    'ntn_canary\n',
    'ntn_canary\u0000',
    'ntn_canary\u007f',
    'ntn_canary other',
    'ntn_canaryĀ',
    'ntn_canary\u00e9',
    'ntn_canary\u2028',
    'ntn_canary\ud83c\udfd4',
    `ntn_canary${'x'.repeat(8_192)}`,
    '',
    ['ntn_canary'],
    { token: 'ntn_canary' },
  ];

  it.each(['access_token', 'refresh_token'])(
    'G4: as %s of a renewal is malformed, not stored and not shown',
    async (field) => {
      for (const value of ODD) {
        const { id, version } = await app.connect();
        simulator.fail('refresh', { kind: 'override', fields: { [field]: value } }, { times: 1 });
        const refreshes = app.nest.get(NotionRefreshService);
        const outcome = await refreshes.refresh(id, { trigger: 'manual', seenVersion: version });
        expect(outcome).toMatchObject({ kind: 'unknown', failure: { code: 'malformed_response' } });
        await expect(app.store.find(id)).resolves.toMatchObject({ version, status: 'active' });
        expect(shown(outcome)).not.toContain('canary');
      }
    },
  );

  it('G4: from an exchange is malformed, and not in the error of it', async () => {
    const notion = app.nest.get(NotionOAuth);
    for (const value of ODD) {
      const body = { access_token: value, token_type: 'bearer', bot_id: 'b', workspace_id: 'w' };
      simulator.fail('exchange', { kind: 'status', status: 200, body }, { times: 1 });
      const answer = await notion.exchange(new Secret('code'), 'https://app.example/notion/callback');
      expect(answer).toMatchObject({ kind: 'unknown', failure: { code: 'malformed_response' } });
      expect(shown(answer)).not.toContain('canary');
    }
  });
});

describe('a 401 that is no refusal of the token', () => {
  it.each([
    ['an array for a code', '{"code":["unauthorized"]}'],
    ['another spelling', '{"code":"Unauthorized"}'],
    ['a blank behind it', '{"code":"unauthorized "}'],
    ["OAuth's own word", '{"error":"unauthorized"}'],
    ['the code further down', '{"error":{"code":"unauthorized"}}'],
    ['the code in a prototype', '{"__proto__":{"code":"unauthorized"}}'],
    ['a list around it', '[{"code":"unauthorized"}]'],
    ['half a body', '{"code":"unauthorized"'],
    ['two bodies', '{"code":"unauthorized"}{}'],
    ['no body', ''],
    ['null', 'null'],
    ['a number', '401'],
  ])('G7: because of %s refreshes nothing and repeats nothing', async (_name, body) => {
    simulator.fail('api', { kind: 'status', status: 401, body });
    const answer = await fetchMe();
    expect(answer.status).toBe(401);
    await expect(answer.text()).resolves.toBe(body);
    expect([simulator.ledger.tokenRequests(), simulator.ledger.apiCalls()]).toEqual([0, 1]);
  });

  it.each([400, 402, 403, 407, 419, 498, 511])(
    "G7: does not exist with status %i, even with Notion's code",
    async (status) => {
      simulator.fail('api', { kind: 'status', status, code: 'unauthorized' });
      await expect(fetchMe()).resolves.toHaveProperty('status', status);
      expect([simulator.ledger.tokenRequests(), simulator.ledger.apiCalls()]).toEqual([0, 1]);
    },
  );

  it.each([400, 403, 429, 500, 529])(
    'G7: is not what follows a renewal: a %i is answered, not repeated',
    async (status) => {
      simulator.expireAccessToken(authorization.botId);
      simulator.fail('api', { kind: 'status', status: 401, code: 'unauthorized' }, { times: 1 });
      simulator.fail('api', { kind: 'status', status });
      await expect(fetchMe()).resolves.toHaveProperty('status', status);
      expect([simulator.ledger.refreshes(), simulator.ledger.apiCalls()]).toEqual([1, 2]);
    },
  );
});

describe('a pair that another process stored', () => {
  it('G8: serves 200 calls at once that still have the old token, without a token request', async () => {
    await fetchMe();
    const peer = await OutboundApp.start({ simulator, beside: app });
    try {
      simulator.expireAccessToken(authorization.botId);
      await peer.clients.forAuthorization(authorization.id).users.me({});
      const mark = simulator.ledger.mark();
      const answers = await Promise.all(Array.from({ length: 200 }, () => fetchMe()));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
    } finally {
      await peer.close();
    }
  });
});

describe('an authorization that only its person can help', () => {
  it('G9: costs a process that starts later no request at all', async () => {
    simulator.revokeGrant(authorization.botId);
    await expect(fetchMe()).rejects.toMatchObject({ code: 'notion_reconnect_required' });
    const later = await OutboundApp.start({ simulator, beside: app });
    try {
      const mark = simulator.ledger.mark();
      const calls = Array.from({ length: 100 }, () =>
        later.clients.forAuthorization(authorization.id).users.me({}),
      );
      for (const call of await Promise.allSettled(calls))
        expect(call).toMatchObject({ reason: { code: 'notion_reconnect_required' } });
      expect(simulator.ledger.since(mark).requests()).toEqual([]);
    } finally {
      await later.close();
    }
  });
});

describe('a call in the name of nobody', () => {
  const OTHER_TEXTS = [
    '',
    ' ',
    '*',
    '%',
    "' OR 1=1--",
    '\u0000',
    '../',
    '00000000-0000-4000-8000-000000000000',
  ];
  const NO_TEXTS: readonly unknown[] = [undefined, null, 0, true, {}, { $ne: 1 }, [], ['a']];

  it.each([...OTHER_TEXTS, 'x'.repeat(1_000)].map((id) => [id.slice(0, 40), id]))(
    'G11: is not sent for the id %j',
    async (_name, id) => {
      const refusal = { code: 'notion_authorization_not_found' };
      const bearer = { authorization: `Bearer ${simulator.grant().accessToken}` };
      const call = app.clients.fetchFor(id)('/v1/users/me', { headers: bearer });
      await expect(call).rejects.toMatchObject(refusal);
      await expect(app.clients.forAuthorization(id).users.me({})).rejects.toMatchObject(refusal);
      expect(simulator.ledger.requests()).toEqual([]);
    },
  );

  it.each(NO_TEXTS.map((id) => [id]))(
    'G11: is a mistake of the program, and not sent, for %j',
    async (id) => {
      await expect(app.clients.fetchFor(id as string)('/v1/users/me')).rejects.toBeInstanceOf(TypeError);
      expect(simulator.ledger.requests()).toEqual([]);
    },
  );

  it("G11: is asked for nothing, not even with a token of the caller's own", async () => {
    const own = simulator.grant().accessToken;
    await app.store.disconnect(authorization.id, 'owner-1');
    const calls = [
      fetchMe({ headers: { authorization: `Bearer ${own}` } }),
      sdk().search({ auth: own }),
      sdk().request({ path: 'users/me', method: 'get', auth: own }),
    ];
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'notion_reconnect_required' } });
    expect(simulator.ledger.apiCalls()).toBe(0);
  });
});

describe('where calls go', () => {
  it('G12: is not changed by what one call brings along', async () => {
    const agent = new Agent({ connect: { host: '127.0.0.1', port: Number(foreign.host.split(':')[1]) } });
    const init = {
      dispatcher: agent,
      agent,
      baseUrl: foreign.url,
      origin: foreign.url,
      url: foreign.url,
      path: foreign.url,
      proxy: foreign.url,
      headers: { host: foreign.host, origin: foreign.url, 'x-forwarded-host': foreign.host },
    };
    await expect(fetchMe(init as unknown as RequestInit)).resolves.toHaveProperty('status', 200);
    await agent.close();
    expect([foreign.connections, simulator.ledger.apiCalls({ status: 200 })]).toEqual([0, 1]);
  });

  it('G12: is not changed by the path of a call of the SDK', async () => {
    const calls = [
      foreign.url,
      `//${foreign.host}/`,
      `@${foreign.host}/`,
      `\\\\${foreign.host}`,
      `:80@x`,
    ].map((path) => sdk().request({ path, method: 'get' }));
    for (const call of await Promise.allSettled(calls)) expect(call.status).toBe('rejected');
    const escapes = ['../oauth/token', '%2e%2e/users', 'oauth/token', 'pages/..%2foauth'].map((path) =>
      sdk().request({ path, method: 'post' }),
    );
    for (const call of await Promise.allSettled(escapes)) expect(call.status).toBe('rejected');
    expect(foreign.connections).toBe(0);
    expect(simulator.ledger.requests().filter(({ endpoint }) => endpoint !== 'api')).toEqual([]);
  });

  it('G5, G12: is not changed by a version of the SDK that would begin a header', async () => {
    const notionVersion = `2026-03-11\r\nhost: ${foreign.host}`;
    const client = app.clients.forAuthorization(authorization.id, { notionVersion, retry: false });
    await expect(client.users.me({})).rejects.toMatchObject({ refusal: 'invalid_header' });
    expect(simulator.ledger.requests()).toEqual([]);
  });

  it('G12: is not changed by the environment once the application runs', async () => {
    const before = process.env['NOTION_API_BASE_URL'];
    process.env['NOTION_API_BASE_URL'] = foreign.url;
    try {
      simulator.expireAccessToken(authorization.botId);
      await expect(fetchMe()).resolves.toHaveProperty('status', 200);
    } finally {
      if (before === undefined) delete process.env['NOTION_API_BASE_URL'];
      else process.env['NOTION_API_BASE_URL'] = before;
    }
    expect(foreign.connections).toBe(0);
  });
});

function shown(value: unknown): string {
  return inspect(value, { depth: 10, showHidden: true }) + JSON.stringify(value);
}
