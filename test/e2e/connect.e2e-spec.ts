import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  NotionAuthorizationNotFoundError,
  NotionCallback,
  NotionCallbackGuard,
  NotionConnectFilter,
  NotionConnectService,
  NotionOwnerRequiredError,
  VerifiedCallback,
} from 'nestjs-notion-auth';
import { NotionSimulator, type NotionPerson } from 'nestjs-notion-auth/testing';
import { ConnectApp, REDIRECT_URI } from '../support/connect.app.js';
import { TestBrowser, type Page } from '../support/test-browser.js';

const COOKIE = '__Host-notion-auth';
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

let simulator: NotionSimulator;
let app: ConnectApp;
let browser: TestBrowser;
let users = 0;
/** Who presses *Allow* at Notion: somebody else in every test, so that no test meets the grant of another. */
let person: string;
/** What must never be shown, logged or stored in clear: every code and state of this suite. */
const canaries = new Set<string>();

beforeAll(async () => {
  simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI], people: crowdOf(200) });
  app = await startApp();
});

afterAll(async () => {
  await app.close();
  await simulator.close();
});

beforeEach(() => {
  simulator.reset();
  browser = newBrowser();
  person = `Person ${users}`;
});

function crowdOf(size: number): NotionPerson[] {
  return Array.from({ length: size }, (_, index) => ({
    id: randomUUID(),
    name: `Person ${index + 1}`,
    email: `person-${index + 1}@notion.example`,
  }));
}

function startApp(options: Partial<Parameters<typeof ConnectApp.start>[0]> = {}): Promise<ConnectApp> {
  const { url: notionUrl, clientId, clientSecret } = simulator;
  return ConnectApp.start({ notionUrl, clientId, clientSecret, ...options });
}

/** A browser of its own, signed in as nobody met before. */
function newBrowser(): TestBrowser {
  users += 1;
  return new TestBrowser(app.url, `owner-${users}`);
}

async function start(query = '', from = browser): Promise<URL> {
  const page = await from.get(`/notion/connect${query}`);
  expect(page.status).toBe(303);
  const url = new URL(page.location);
  canaries.add(url.searchParams.get('state')!);
  return url;
}

/** Presses *Allow* at Notion; answers the callback's path and query. */
function allow(authorizeUrl: URL, choice: Parameters<NotionSimulator['allow']>[1] = {}): string {
  const callback = new URL(simulator.allow(authorizeUrl.href, { person, ...choice }));
  canaries.add(callback.searchParams.get('code')!);
  return callback.pathname + callback.search;
}

function deny(authorizeUrl: URL): string {
  const callback = new URL(simulator.deny(authorizeUrl.href));
  return callback.pathname + callback.search;
}

function withState(state: string, code = 'c0de'): string {
  return `/notion/callback?${new URLSearchParams({ code, state }).toString()}`;
}

async function connected(
  choice: Parameters<NotionSimulator['allow']>[1] = {},
  query = '',
  by = browser,
): Promise<string> {
  const page = await by.get(allow(await start(query, by), choice));
  expect(page.status).toBe(303);
  const [authorization] = (await app.connect.list(by.user!)).slice(-1);
  return authorization!.id;
}

/** Runs `work` and answers how many token requests reached Notion meanwhile. */
async function tokenRequestsDuring(work: () => Promise<unknown>): Promise<number> {
  const mark = simulator.ledger.mark();
  await work();
  return simulator.ledger.since(mark).tokenRequests();
}

async function expectRefused(path: string, by = browser): Promise<Page> {
  const mark = simulator.ledger.mark();
  const page = await by.get(path);
  expect(page.status).toBe(400);
  expect(page.location).toBe('');
  expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
  return page;
}

describe('connecting', () => {
  it('leads to Notion and back, and keeps what was granted', async () => {
    const authorizeUrl = await start('?returnTo=/settings?tab=notion%23top');
    const page = await browser.get(allow(authorizeUrl, { workspace: 'Garden Club' }));
    expect(page.location).toBe('/settings?tab=notion#top');
    const [authorization, ...others] = await app.connect.list(browser.user!);
    expect(others).toEqual([]);
    expect(authorization).toMatchObject({
      workspaceName: 'Garden Club',
      status: 'active',
      redirectUri: REDIRECT_URI,
    });
    expect(ConnectApp.log).toContainEqual(
      expect.stringContaining(`connect completed kind=connected authorization=${authorization!.id}`),
    );
  });

  it('reconnects the same grant under its old id', async () => {
    const id = await connected();
    const page = await browser.get(allow(await start(`?reconnect=${id}`)));
    expect(page.location).toBe('/home');
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id, version: 2, status: 'active' }]);
  });

  it('C1, C3: sends the configured redirect URI byte for byte, whatever host the request names', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' };
    const { location } = await browser.get('/notion/connect', headers);
    expect(new URL(location).searchParams.get('redirect_uri')).toBe(REDIRECT_URI);
    expect((await browser.get(allow(new URL(location)))).status).toBe(303);
  });
});

describe('authorize and state', () => {
  it('A1: makes a fresh state of 256 bits for every connect', async () => {
    const states = new Set<string>();
    for (let count = 0; count < 60; count += 1) states.add((await start()).searchParams.get('state')!);
    expect(states.size).toBe(60);
    for (const state of states) expect(state).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('A2: sets exactly one cookie, bound to the host', async () => {
    const { headers } = await browser.get('/notion/connect');
    const [cookie, ...others] = headers['set-cookie'] as unknown as string[];
    expect(others).toEqual([]);
    const [pair, ...attributes] = cookie!.split('; ');
    expect(pair).toMatch(/^__Host-notion-auth=[A-Za-z0-9_-]{43}$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure']);
  });

  it('A2: on an http loopback redirect URI goes without Secure, and says so once at startup', async () => {
    const lines = ConnectApp.log.length;
    const local = await startApp({ redirectUri: 'http://localhost:3000/notion/callback' });
    try {
      const { headers } = await new TestBrowser(local.url).get('/notion/connect');
      expect(String(headers['set-cookie'])).toMatch(
        /^notion-auth=[^;]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      expect(
        ConnectApp.log.slice(lines).filter((line) => line.includes('connect cookie goes without Secure')),
      ).toHaveLength(1);
    } finally {
      await local.close();
    }
  });

  it('A3: refuses a callback without the cookie', async () => {
    const callback = allow(await start());
    browser.cookies.clear();
    await expectRefused(callback);
  });

  it.each(['another account', 'the same account'])(
    'A4: refuses a state that another browser of %s started, and keeps nothing',
    async (account) => {
      const attacker = newBrowser();
      // Nothing but the cookie tells two browsers of one account apart.
      if (account === 'the same account') attacker.user = browser.user;
      const callback = allow(await start('', attacker));
      await start();
      await expectRefused(callback);
      expect(await app.connect.list(browser.user!)).toEqual([]);
      expect((await attacker.get(callback)).status).toBe(303);
    },
  );

  it('A5: refuses a callback when state and cookie are both missing', async () => {
    await expectRefused(`/notion/callback?code=${simulator.authorize()}`);
  });

  it('A6: takes an empty state and an empty cookie for missing ones', async () => {
    browser.cookies.set(COOKIE, '');
    await expectRefused(`/notion/callback?code=${simulator.authorize()}&state=`);
  });

  it('A7: lets one of fifty parallel replays through', async () => {
    const callback = allow(await start());
    let pages: Page[] = [];
    const sent = await tokenRequestsDuring(async () => {
      pages = await Promise.all(Array.from({ length: 50 }, () => browser.get(callback)));
    });
    expect(sent).toBe(1);
    expect(pages.filter((page) => page.status === 303)).toHaveLength(1);
    expect(pages.filter((page) => page.status === 400)).toHaveLength(49);
  });

  it('A8: refuses a state that is older than its lifetime', async () => {
    const callback = allow(await start());
    await app.sql('UPDATE notion_oauth_state SET expires_at = expires_at - 601000');
    await expectRefused(callback);
  });

  it('A9: answers tampered, unknown, used, expired and foreign states alike', async () => {
    const authorizeUrl = await start();
    const state = authorizeUrl.searchParams.get('state')!;
    const flip = (index: number) => (state[index] === 'A' ? 'B' : 'A');
    const tampered = Array.from(
      state,
      (_, index) => state.slice(0, index) + flip(index) + state.slice(index + 1),
    );
    const refusals: Page[] = [];
    for (const other of tampered) refusals.push(await expectRefused(withState(other)));
    const elsewhere = newBrowser();
    await start('', elsewhere);
    refusals.push(await expectRefused(withState(state), elsewhere));
    const callback = allow(authorizeUrl);
    expect((await browser.get(callback)).status).toBe(303);
    refusals.push(await expectRefused(callback));
    const late = allow(await start());
    await app.sql('UPDATE notion_oauth_state SET expires_at = expires_at - 601000');
    refusals.push(await expectRefused(late));
    expect(new Set(refusals.map((page) => page.text)).size).toBe(1);
    for (const refusal of ['unknown_state', 'wrong_browser', 'used_state', 'expired_state']) {
      expect(ConnectApp.log).toContainEqual(expect.stringContaining(`connect refused refusal=${refusal}`));
    }
  });

  it('A10: keeps only hashes, which are no use as a state or as a cookie', async () => {
    const state = (await start()).searchParams.get('state')!;
    const stored = app.stored();
    expect(stored).toContain(createHash('sha256').update(state).digest('hex'));
    expect(stored).not.toContain(state);
    expect(stored).not.toContain(browser.cookies.get(COOKIE)!);
    const [row] = await app.sql('SELECT state_hash FROM notion_oauth_state ORDER BY created_at DESC LIMIT 1');
    await expectRefused(withState(String(row!['state_hash'])));
    await expectRefused(withState(createHash('sha256').update(state).digest('base64url')));
  });

  it('A11: finishes three tabs of one browser in any order, each where it wants to go', async () => {
    const tabs = [
      await start('?returnTo=/one'),
      await start('?returnTo=/two'),
      await start('?returnTo=/three'),
    ];
    const ends: string[] = [];
    for (const tab of tabs.reverse()) ends.push((await browser.get(allow(tab))).location);
    expect(ends).toEqual(['/three', '/two', '/one']);
  });

  it('A12: refuses the callback when somebody else is signed in by then', async () => {
    const callback = allow(await start());
    browser.user = 'somebody-else';
    const sent = await tokenRequestsDuring(async () => {
      expect((await browser.get(callback)).status).toBe(403);
    });
    expect(sent).toBe(0);
    expect(await app.connect.list('somebody-else')).toEqual([]);
  });

  it("A13: refuses another client's state, and an issuer that is not Notion", async () => {
    const callback = allow(await start());
    await expectRefused(`${callback}&iss=https%3A%2F%2Fevil.example`);
    const other = await startApp({ clientId: 'a-second-client', folder: app.folder });
    try {
      const moved = new TestBrowser(other.url, browser.user);
      for (const [name, value] of browser.cookies) moved.cookies.set(name, value);
      await expectRefused(callback, moved);
      expect(ConnectApp.log).toContainEqual(expect.stringContaining('connect refused refusal=unknown_state'));
    } finally {
      await other.close();
    }
  });

  it('A13: accepts an issuer that is Notion', async () => {
    const callback = allow(await start());
    expect((await browser.get(`${callback}&iss=${encodeURIComponent(simulator.url)}`)).status).toBe(303);
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https:/evil.example',
    '/.//evil.example',
    '/a\r\nSet-Cookie: x=1',
  ])('A14: returns to the default page instead of %j', async (returnTo) => {
    const page = await browser.get(allow(await start(`?returnTo=${encodeURIComponent(returnTo)}`)));
    expect(page.location).toBe('/home');
  });

  it('A15: takes returnTo from the state, not from the callback', async () => {
    const page = await browser.get(`${allow(await start('?returnTo=/mine'))}&returnTo=//evil.example`);
    expect(page.location).toBe('/mine');
  });

  it('A16: answers the callback with a bare 303 that nothing keeps and nobody hears of', async () => {
    const page = await browser.get(allow(await start()));
    expect(page).toMatchObject({ status: 303, text: '' });
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    for (const method of ['post', 'put'] as const) {
      expect((await browser.send(method, '/notion/callback?code=c&state=s')).status).toBe(404);
    }
  });

  it('A17, A21: builds the authorize URL from configuration alone, without PKCE', async () => {
    const plain = await start();
    const pushed = await start(
      '?client_id=x&redirect_uri=https://evil.example&owner=workspace&state=fixed&code_challenge=x',
    );
    for (const url of [plain, pushed]) url.searchParams.set('state', '-');
    expect(pushed.href).toBe(plain.href);
    expect([...plain.searchParams.keys()].sort()).toEqual([
      'client_id',
      'owner',
      'redirect_uri',
      'response_type',
      'state',
    ]);
  });

  it('A18: asks strangers to sign in, and keeps at most twenty pending connects of one owner', async () => {
    const stranger = newBrowser();
    stranger.user = null;
    expect((await stranger.get('/notion/connect')).status).toBe(401);
    for (let count = 0; count < 25; count += 1) await start();
    const rows = await app.sql(
      `SELECT state_hash FROM notion_oauth_state WHERE owner_id = '${browser.user!}'`,
    );
    expect(rows.length).toBeLessThanOrEqual(20);
  });

  it('A20: fails closed while the store is down', async () => {
    const callback = allow(await start());
    await app.sql('ALTER TABLE notion_oauth_state RENAME TO notion_oauth_state_away');
    try {
      const sent = await tokenRequestsDuring(async () => {
        expect((await browser.get(callback)).status).toBe(503);
        expect((await browser.get('/notion/connect')).status).toBe(503);
      });
      expect(sent).toBe(0);
    } finally {
      await app.sql('ALTER TABLE notion_oauth_state_away RENAME TO notion_oauth_state');
    }
    expect((await browser.get(callback)).status).toBe(303);
  });

  it('outlasts a moment without a store once the code is spent', async () => {
    const callback = allow(await start());
    await app.sql('ALTER TABLE notion_authorization RENAME TO notion_authorization_away');
    const arriving = browser.get(callback);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await app.sql('ALTER TABLE notion_authorization_away RENAME TO notion_authorization');
    expect((await arriving).status).toBe(303);
    expect(await app.connect.list(browser.user!)).toHaveLength(1);
  });

  it('A22: shows pages that load nothing, run nothing and cannot be framed', async () => {
    const { headers, text } = await expectRefused('/notion/callback');
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'; style-src 'sha256-");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(text).toContain('<a href="/notion/connect">Start again</a>');
  });

  it('A23: does not grow the cookies of a browser that connects a hundred times', async () => {
    for (let count = 0; count < 100; count += 1) await start();
    expect(browser.cookieHeader().length).toBeLessThan(100);
  });
});

describe('callback errors', () => {
  it('B1: brings a person who declined back, and changes nothing', async () => {
    const id = await connected();
    const callback = deny(await start(`?reconnect=${id}&returnTo=/settings?a=b`));
    const sent = await tokenRequestsDuring(async () => {
      expect(await browser.get(callback)).toMatchObject({
        status: 303,
        location: '/settings?a=b&notion=denied',
      });
    });
    expect(sent).toBe(0);
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id, version: 1, status: 'active' }]);
    await expectRefused(callback);
  });

  it('B2: shows a page for an error that comes with no state or an unknown one', async () => {
    await start();
    await expectRefused('/notion/callback?error=access_denied&state=');
    await expectRefused(`/notion/callback?error=access_denied&state=${'x'.repeat(43)}`);
  });

  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['a line break', 'a\r\nb'],
    ['10 KiB', 'x'.repeat(10_240)],
  ])('B3: never repeats a description with %s', async (_what, description) => {
    const lines = ConnectApp.log.length;
    const page = await browser.get(
      `${deny(await start())}&error_description=${encodeURIComponent(description)}`,
    );
    expect(page.text + page.location).not.toContain(description);
    for (const line of ConnectApp.log.slice(lines)) expect(line).toMatch(/^[\x20-\x7e]{1,300}$/);
    expect(ConnectApp.log.slice(lines).join('')).not.toContain(description);
  });

  it.each(['', '&code=', '&error='])(
    'B4: refuses a callback with neither code nor error (%j)',
    async (extra) => {
      const state = (await start()).searchParams.get('state')!;
      await expectRefused(`/notion/callback?state=${state}${extra}`);
    },
  );

  it.each([
    ['B5', 'a second code', '&code=b'],
    ['B5', 'a second state', '&state=b'],
    ['B6', 'an array', '&code[]=a'],
    ['B6', 'an object', '&code[x]=1'],
    ['B6', 'a prototype', '&__proto__[x]=1'],
    ['B7', '8 KiB', `&pad=${'p'.repeat(8_192)}`],
  ])('%s: refuses a callback with %s added, and leaves its state unused', async (_id, _what, extra) => {
    const callback = allow(await start());
    await expectRefused(callback + extra);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect((await browser.get(callback)).status).toBe(303);
  });

  it.each([
    ['B7', 'of 2,049 characters', 'c'.repeat(2_049)],
    ['B8', 'with a NUL', 'a\u0000'],
    ['B8', 'with a line break', 'a\r\nb'],
    ['B8', 'outside ASCII', 'ä'],
  ])('%s: refuses a code %s', async (_id, _what, code) => {
    await expectRefused(withState((await start()).searchParams.get('state')!, code));
  });

  it('B9: takes a callback with both code and error for an error', async () => {
    const callback = `${allow(await start())}&error=access_denied`;
    const sent = await tokenRequestsDuring(async () => {
      expect((await browser.get(callback)).location).toBe('/home?notion=denied');
    });
    expect(sent).toBe(0);
  });

  it('B10, F6: refuses a reconnect that comes back as another workspace', async () => {
    const id = await connected({ workspace: 'Lighthouse Studio' });
    const neighbour = newBrowser();
    const other = await connected({ workspace: 'Garden Club', person: 'Person 199' }, '', neighbour);
    const page = await browser.get(allow(await start(`?reconnect=${id}`), { workspace: 'Garden Club' }));
    expect(page.status).toBe(409);
    expect(page.text).toContain(`<a href="/notion/connect?reconnect=${id}">Start again</a>`);
    expect(await app.connect.list(browser.user!)).toMatchObject([
      { id, version: 1, workspaceName: 'Lighthouse Studio' },
    ]);
    expect(await app.connect.list(neighbour.user!)).toMatchObject([{ id: other, version: 1 }]);
    expect(ConnectApp.log).toContainEqual(expect.stringContaining(`connect other_grant authorization=${id}`));
  });

  it('B11: sends a code once, also when the answer is lost', async () => {
    simulator.fail('exchange', { kind: 'drop_after' });
    const callback = allow(await start());
    const sent = await tokenRequestsDuring(async () => {
      const page = await browser.get(callback);
      expect(page.status).toBe(502);
      expect(page.text).toContain('Start again');
      await browser.get(callback);
    });
    expect(sent).toBe(1);
    expect(await app.connect.list(browser.user!)).toEqual([]);
  });

  it('B12: keeps nothing when Notion does not accept the code', async () => {
    const page = await browser.get(withState((await start()).searchParams.get('state')!));
    expect(page.status).toBe(400);
    expect(page.text).toContain('notion_connect_failed');
    expect(await app.connect.list(browser.user!)).toEqual([]);
  });

  it('B13: answers a refused client as trouble upstream, never as a 401 of ours, and alerts', async () => {
    simulator.fail('exchange', { kind: 'status', status: 401, code: 'invalid_client' });
    const lines = ConnectApp.log.length;
    expect((await browser.get(allow(await start()))).status).toBe(502);
    expect(ConnectApp.log.slice(lines)).toContainEqual(
      expect.stringContaining('connect failed kind=configuration status=401 code=invalid_client'),
    );
  });

  it.each([
    ['an error body', { kind: 'status', status: 200, body: { error: 'invalid_grant' } }],
    ['HTML', { kind: 'html', status: 200, processed: true }],
    ['no access_token', { kind: 'missing_field', field: 'access_token' }],
    ['another token_type', { kind: 'override', fields: { token_type: 'mac' } }],
    ['half of the JSON', { kind: 'truncate' }],
  ] as const)('B14: keeps nothing of a 200 with %s', async (_what, fault) => {
    simulator.fail('exchange', fault);
    expect((await browser.get(allow(await start()))).status).toBe(502);
    expect(await app.connect.list(browser.user!)).toEqual([]);
  });

  it('keeps a grant that comes without a refresh token', async () => {
    simulator.configure({ refreshTokens: 'null' });
    await connected();
    expect(await app.connect.list(browser.user!)).toMatchObject([
      { status: 'active', hasRefreshToken: false },
    ]);
  });

  it('answers clients that ask for JSON with the code', async () => {
    const json = { accept: 'application/json' };
    const refused = await browser.get('/notion/callback', json);
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toEqual({
      code: 'notion_callback_refused',
      message: expect.any(String),
    });
    browser.user = null;
    expect(JSON.parse((await browser.get('/notion/connect', json)).text)).toMatchObject({
      code: 'notion_owner_required',
    });
  });
});

describe('owners', () => {
  it('F1: treats the authorization of another owner like one that does not exist', async () => {
    const id = await connected();
    const stranger = newBrowser();
    const foreign = await stranger.get(`/notion/connect?reconnect=${id}`);
    const unknown = await stranger.get(`/notion/connect?reconnect=${UNKNOWN_ID}`);
    const malformed = await stranger.get(
      `/notion/connect?reconnect[$ne]=1&reconnect=${encodeURIComponent("' OR 1=1--")}`,
    );
    expect([foreign.status, unknown.status, malformed.status]).toEqual([404, 404, 404]);
    expect(new Set([foreign.text, unknown.text, malformed.text]).size).toBe(1);
    for (const other of [id, UNKNOWN_ID, ['x'] as unknown as string]) {
      await expect(app.connect.disconnect(other, stranger.user!)).rejects.toThrow(
        NotionAuthorizationNotFoundError,
      );
    }
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id, status: 'active' }]);
  });

  it('F2: never takes the owner from the request itself', async () => {
    await connected({}, '?ownerId=victim&owner=victim&owner_id=victim');
    expect(await app.connect.list('victim')).toEqual([]);
    expect(await app.connect.list(browser.user!)).toHaveLength(1);
  });

  it.each([{}, [], '', 0, null])('F4: refuses %j as an owner', async (owner) => {
    await expect(app.connect.list(owner as string)).rejects.toThrow(NotionOwnerRequiredError);
    const odd = await startApp({ resolveOwner: () => owner as never });
    try {
      expect((await new TestBrowser(odd.url).get('/notion/connect')).status).toBe(401);
    } finally {
      await odd.close();
    }
  });
});

describe('disconnecting', () => {
  it('erases the secrets here, then revokes at Notion, and says so', async () => {
    const id = await connected();
    const { botId } = (await app.connect.list(browser.user!))[0]!;
    const before = simulator.ledger.live(botId);
    expect(before.accessToken).not.toBeNull();
    await expect(app.connect.disconnect(id, browser.user!)).resolves.toBe('revoked');
    expect(simulator.ledger.live(botId)).toEqual({ accessToken: null, refreshToken: null });
    await expect(app.connect.disconnect(id, browser.user!)).rejects.toThrow(NotionAuthorizationNotFoundError);
  });

  it('says local_only when Notion does not confirm', async () => {
    const id = await connected();
    simulator.fail('revoke', { kind: 'status', status: 503 });
    await expect(app.connect.disconnect(id, browser.user!)).resolves.toBe('local_only');
    expect(await app.connect.list(browser.user!)).toEqual([]);
  });

  it('F5: only unlinks while another owner uses the same grant', async () => {
    simulator.configure({ reauthorization: 'same_pair' });
    const id = await connected();
    const colleague = newBrowser();
    expect(await connected({}, '', colleague)).toBe(id);
    const mark = simulator.ledger.mark();
    await expect(app.connect.disconnect(id, browser.user!)).resolves.toBe('unlinked');
    expect(simulator.ledger.since(mark).revocations()).toBe(0);
    expect(await app.connect.list(colleague.user!)).toMatchObject([{ id, status: 'active' }]);
  });
});

describe("an application's own routes", () => {
  @Controller('account')
  @UseFilters(NotionConnectFilter)
  class AccountController {
    constructor(private readonly connect: NotionConnectService) {}

    @Get('link')
    async link(@Req() request: Request, @Res() response: Response): Promise<void> {
      const ownerId = request.header('x-session-user')!;
      const departure = await this.connect.authorizeUrl({
        ownerId,
        returnTo: '/account',
        cookies: request.headers.cookie,
      });
      response.setHeader('Set-Cookie', departure.setCookie);
      response.redirect(303, departure.url);
    }

    @Get('linked')
    @UseGuards(NotionCallbackGuard)
    async linked(@NotionCallback() callback: VerifiedCallback): Promise<object> {
      const { kind, authorization, returnTo } = await this.connect.complete(callback);
      await expect(this.connect.complete(callback)).rejects.toMatchObject({ refusal: 'used_state' });
      return { kind, workspace: authorization.workspaceName, returnTo };
    }
  }

  it('connect with the guard, the service and the filter alone', async () => {
    const redirectUri = 'https://app.example/account/linked';
    simulator.registerRedirectUri(redirectUri);
    const own = await startApp({ controller: AccountController, redirectUri });
    try {
      const visitor = new TestBrowser(own.url);
      const { location } = await visitor.get('/account/link');
      const callback = allow(new URL(location));
      const answer = await visitor.get(callback);
      expect(JSON.parse(answer.text)).toEqual({
        kind: 'connected',
        workspace: 'Lighthouse Studio',
        returnTo: '/account',
      });
      const replay = await visitor.get(callback);
      expect(replay.status).toBe(400);
      expect(replay.text).toContain('<a href="/home">Back to the application</a>');
    } finally {
      await own.close();
    }
  });
});

describe('everything above', () => {
  it('B17: showed, logged and stored no code, state, secret, token, stack or SQL', () => {
    for (const token of simulator.ledger.tokens()) canaries.add(token.value);
    canaries.add(simulator.clientSecret);
    const exposed = [...TestBrowser.seen, ...ConnectApp.log, app.stored()].join('\n');
    expect([...canaries].filter((canary) => exposed.includes(canary))).toEqual([]);
    expect(TestBrowser.seen.join('\n')).not.toMatch(/\n {4}at |SELECT |UPDATE |INSERT |SQLITE/);
  });
});
