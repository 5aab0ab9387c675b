import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  NotionAuthorizationNotFoundError,
  NotionCallback,
  NotionCallbackGuard,
  NotionConnectFilter,
  NotionConnectService,
  NotionOwnerInvalidError,
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
  simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI], people: crowdOf(400) });
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

function rowsOf(ownerId: string): Promise<readonly Record<string, unknown>[]> {
  return app.sql(`SELECT * FROM notion_oauth_state WHERE owner_id = '${ownerId}'`);
}

/** All that a browser can tell two answers apart by. */
function looksOf({ status, headers, text }: Page): string {
  return JSON.stringify([status, { ...headers, date: '' }, text]);
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

  it.each<Record<string, string>>([
    {},
    { host: 'evil.example' },
    { host: 'evil.example:8443', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
    { forwarded: 'host=evil.example;proto=http', 'x-forwarded-port': '8443', 'x-forwarded-prefix': '/evil' },
    { 'x-original-host': 'evil.example', 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
    { origin: 'https://evil.example', referer: 'https://evil.example/' },
  ])(
    'C1, C3, C4: sends the configured redirect URI byte for byte, whatever the request says (%j)',
    async (headers) => {
      const { location } = await browser.get('/notion/connect', headers);
      expect(new URL(location).searchParams.getAll('redirect_uri')).toEqual([REDIRECT_URI]);
      const callback = allow(new URL(location));
      const mark = simulator.ledger.mark();
      expect((await browser.get(callback, headers)).status).toBe(303);
      expect(simulator.ledger.since(mark).requests({ grantType: 'authorization_code' })).toMatchObject([
        { status: 200 },
      ]);
    },
  );

  it.each([
    'https://app.example/notion/callback/',
    'https://app.example/notion/callback?env=1&b=%2F&c=a+b',
    'https://xn--bcher-kva.example:8443/notion/callback?',
  ])('C1, C4: sends %s in both requests as it is written', async (redirectUri) => {
    simulator.registerRedirectUri(redirectUri);
    const own = await startApp({ redirectUri });
    try {
      const visitor = new TestBrowser(own.url);
      const { location } = await visitor.get('/notion/connect');
      expect(new URL(location).searchParams.get('redirect_uri')).toBe(redirectUri);
      // The simulator refuses a code whose exchange names another redirect URI, or none.
      expect((await visitor.get(allow(new URL(location)))).status).toBe(303);
    } finally {
      await own.close();
    }
  });
});

describe('authorize and state', () => {
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
        ConnectApp.log.slice(lines).filter((line) => line.startsWith('warn') && /http|cookie/i.test(line)),
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

  it.each(['', '&error=access_denied', '&iss='])(
    'A5: refuses a callback when state and cookie are both missing (%j)',
    async (extra) => {
      await start();
      browser.cookies.clear();
      await expectRefused(`/notion/callback?code=${simulator.authorize()}${extra}`);
    },
  );

  it.each(['', '""', '%00', 'undefined', 'null', 'a'.repeat(42), 'a'.repeat(44), '%E0%A4%A'])(
    'A6: takes the state and the cookie %j for missing ones, also both at once',
    async (nothing) => {
      const code = simulator.authorize();
      const state = encodeURIComponent(nothing);
      browser.cookies.set(COOKIE, nothing);
      await expectRefused(`/notion/callback?code=${code}&state=${state}`);
      const callback = allow(await start());
      browser.cookies.set(COOKIE, nothing);
      await expectRefused(callback);
      browser.cookies.clear();
      await start();
      await expectRefused(`/notion/callback?code=${code}&state=${state}`);
    },
  );

  it('A7, A30: exchanges the code of fifty parallel replays once, and leads all of them back', async () => {
    const callback = allow(await start('?returnTo=/settings'));
    let pages: Page[] = [];
    const sent = await tokenRequestsDuring(async () => {
      pages = await Promise.all(Array.from({ length: 50 }, () => browser.get(callback)));
    });
    expect(sent).toBe(1);
    expect(new Set(pages.map(({ status, location }) => `${status} ${location}`))).toEqual(
      new Set(['303 /settings']),
    );
  });

  it('A8: refuses a state of ten minutes and a second, and its row is gone', async () => {
    const callback = allow(await start());
    const { user } = browser;
    await app.sql(
      `UPDATE notion_oauth_state SET expires_at = expires_at - 601000 WHERE owner_id = '${user}'`,
    );
    await expectRefused(callback);
    expect(await rowsOf(user!)).toEqual([]);
    await expectRefused(callback);
  });

  it('A8: sweeps the rows of those who never came back', async () => {
    await start();
    const { user } = browser;
    await app.sql(
      `UPDATE notion_oauth_state SET expires_at = expires_at - 601000 WHERE owner_id = '${user}'`,
    );
    expect(await rowsOf(user!)).toHaveLength(1);
    const next = await startApp({ folder: app.folder });
    try {
      await next.connect.authorizeUrl({ ownerId: 'the-next-owner' });
      expect(await rowsOf(user!)).toEqual([]);
    } finally {
      await next.close();
    }
  });

  it.each([
    ['a day ahead', 86_400_000],
    ['a day behind', -86_400_000],
  ])(
    'A8: judges the age by the clock of the database, also in a process whose clock is %s',
    async (_when, offMs) => {
      const good = await start();
      const stale = await start();
      const hash = createHash('sha256').update(stale.searchParams.get('state')!).digest('hex');
      await app.sql(
        `UPDATE notion_oauth_state SET expires_at = expires_at - 601000 WHERE state_hash = '${hash}'`,
      );
      const now = Date.now.bind(Date);
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + offMs);
      try {
        await expectRefused(allow(stale));
        expect((await browser.get(allow(good))).status).toBe(303);
      } finally {
        clock.mockRestore();
      }
    },
  );

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
    expect((await browser.get(deny(authorizeUrl))).status).toBe(303);
    refusals.push(await expectRefused(allow(authorizeUrl)));
    const late = allow(await start());
    await app.sql('UPDATE notion_oauth_state SET expires_at = expires_at - 601000');
    refusals.push(await expectRefused(late));
    expect(new Set(refusals.map(looksOf)).size).toBe(1);
    for (const refusal of ['unknown_state', 'wrong_browser', 'used_state', 'expired_state']) {
      expect(ConnectApp.log).toContainEqual(
        expect.stringContaining(`connect refused stage=exchange refusal=${refusal}`),
      );
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
      expect(ConnectApp.log).toContainEqual(
        expect.stringContaining('connect refused stage=exchange refusal=unknown_state'),
      );
    } finally {
      await other.close();
    }
  });

  it("A13: leaves another client's state unused, for the client that it belongs to", async () => {
    const callback = allow(await start());
    const other = await startApp({ clientId: 'a-second-client', folder: app.folder });
    try {
      const moved = new TestBrowser(other.url, browser.user);
      for (const [name, value] of browser.cookies) moved.cookies.set(name, value);
      await expectRefused(callback, moved);
    } finally {
      await other.close();
    }
    expect((await browser.get(callback)).status).toBe(303);
  });

  it('A13: refuses a state whose redirect URI is not configured any more', async () => {
    const callback = allow(await start());
    const redirectUri = 'https://elsewhere.example/notion/callback';
    const moved = await startApp({ redirectUri, folder: app.folder });
    try {
      const there = new TestBrowser(moved.url, browser.user);
      for (const [name, value] of browser.cookies) there.cookies.set(name, value);
      await expectRefused(callback, there);
      expect(ConnectApp.log).toContainEqual(
        expect.stringContaining('connect refused stage=exchange refusal=wrong_client'),
      );
    } finally {
      await moved.close();
    }
  });

  it.each([
    'https://evil.example',
    'https://api.notion.com',
    '%',
    ' ',
    '<own>/',
    '<own>.',
    '<own>:443',
    '<own>/x',
  ])('A13: refuses the issuer %j, and leaves the state unused', async (issuer) => {
    const callback = allow(await start());
    const named = issuer.replace('<own>', simulator.url);
    await expectRefused(`${callback}&iss=${encodeURIComponent(named)}`);
    expect((await browser.get(callback)).status).toBe(303);
  });

  it('D13: accepts the issuer that is configured, and none beside it', async () => {
    const issuer = 'https://www.notion.example/oauth';
    const own = await startApp({ issuer });
    try {
      const visitor = new TestBrowser(own.url, 'owner-of-issuer');
      const callback = allow(await start('', visitor));
      const lines = ConnectApp.log.length;
      for (const other of [simulator.url, `${issuer}/`, 'https://evil.example'])
        await expectRefused(`${callback}&iss=${encodeURIComponent(other)}`, visitor);
      expect(ConnectApp.log.slice(lines)).toContainEqual(
        expect.stringContaining(
          'refusal=wrong_issuer issuer=https://evil.example expected_issuer=https://www.notion.example/oauth answered=400',
        ),
      );
      expect((await visitor.get(`${callback}&iss=${encodeURIComponent(issuer)}`)).status).toBe(303);
    } finally {
      await own.close();
    }
  });

  it('D13: accepts a callback that names no issuer, as Notion sends it', async () => {
    const own = await startApp({ issuer: 'https://www.notion.example' });
    try {
      const visitor = new TestBrowser(own.url, 'owner-without-issuer');
      expect((await visitor.get(allow(await start('', visitor)))).status).toBe(303);
    } finally {
      await own.close();
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
    '/a/..//evil.example',
    '/%2e%2e//evil.example',
    '///evil.example',
    '\\\\evil.example',
    '/\\/evil.example',
    '/a/\\evil.example',
    ' //evil.example',
    '\t//evil.example',
    '\u00a0//evil.example',
    '\u2028//evil.example',
    '\ufeff//evil.example',
    'evil.example',
    '?x=1',
    '#x',
    '',
    'https:evil.example',
    'https://app.example/ok',
    'http://app.example@evil.example',
    'HTTPS://evil.example',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.example/x',
    'file:///etc/passwd',
    '/a\r\nSet-Cookie: x=1',
    '/a\u0085b',
    '/a\u007fb',
    '/a\u0000b',
    `/${'a'.repeat(2_048)}`,
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
  });

  it.each(['post', 'put', 'patch', 'delete', 'options'] as const)(
    'A16: answers no %s to the callback, let alone with a redirect that repeats it',
    async (method) => {
      await start();
      const sent = await tokenRequestsDuring(async () => {
        // Not a real code: what an application answers on a route that it has not is its own affair.
        const page = await browser.send(method, withState('s'.repeat(43)));
        expect([page.location, page.headers['set-cookie']]).toEqual(['', undefined]);
        expect([200, 204, 404]).toContain(page.status);
      });
      expect(sent).toBe(0);
    },
  );

  it('A17, A21: builds the authorize URL from configuration alone, without PKCE', async () => {
    const plain = await start();
    const pushed = await start(
      '?client_id=x&redirect_uri=https://evil.example&owner=workspace&state=fixed&code_challenge=x&response_type=token' +
        '&scope=all&response_mode=form_post&prompt=none&apiBaseUrl=https://evil.example&__proto__[owner]=workspace',
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
    const asked = await stranger.get('/notion/connect');
    expect([asked.status, asked.headers['set-cookie']]).toEqual([401, undefined]);
    for (let count = 0; count < 25; count += 1) await start();
    expect(await rowsOf(browser.user!)).toHaveLength(20);
    const parallel = await Promise.all(Array.from({ length: 60 }, () => browser.get('/notion/connect')));
    expect(parallel.filter(({ status }) => status === 303)).toHaveLength(60);
    expect(await rowsOf(browser.user!)).toHaveLength(20);
  });

  it('A20: fails closed while the store is down', async () => {
    const callback = allow(await start());
    await app.sql('ALTER TABLE notion_oauth_state RENAME TO notion_oauth_state_away');
    try {
      const sent = await tokenRequestsDuring(async () => {
        for (const path of [callback, '/notion/connect']) {
          const page = await browser.get(path);
          expect([page.status, page.location, page.headers['set-cookie']]).toEqual([503, '', undefined]);
        }
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

  it('goes on connecting when the store is away for longer than the request, and says so', async () => {
    const own = await startApp({ refresh: { callerWaitMs: 2_000 } });
    try {
      const visitor = new TestBrowser(own.url, 'owner-patient');
      const asJson = new TestBrowser(own.url, 'owner-of-json');
      const callback = allow(await start('?returnTo=/settings', visitor), { person: 'Person 390' });
      const other = allow(await start('', asJson), { person: 'Person 391' });
      await own.sql('ALTER TABLE notion_authorization RENAME TO notion_authorization_away');
      const page = await visitor.get(callback);
      expect([page.status, page.location]).toEqual([202, '']);
      expect(page.text).toContain('Notion is being connected');
      expect(page.text).toContain('<a href="/settings">Back to the application</a>');
      const json = await asJson.get(other, { accept: 'application/json' });
      expect([json.status, JSON.parse(json.text)]).toMatchObject([202, { code: 'notion_store_unavailable' }]);
      const completed = ConnectApp.next('connect completed', 2);
      await own.sql('ALTER TABLE notion_authorization_away RENAME TO notion_authorization');
      await completed;
      for (const user of ['owner-patient', 'owner-of-json'])
        expect(await own.connect.list(user)).toMatchObject([{ status: 'active', version: 1 }]);
    } finally {
      await own.close();
    }
  });

  it('keeps the authorization of another owner alive whose pair the exchange replaced', async () => {
    const own = await startApp({ refresh: { callerWaitMs: 2_000 } });
    try {
      const ada = new TestBrowser(own.url, 'owner-ada');
      const bob = new TestBrowser(own.url, 'owner-bob');
      const grant = { person: 'Person 392' };
      expect((await ada.get(allow(await start('', ada), grant))).status).toBe(303);
      const [{ id }] = (await own.connect.list('owner-ada')) as unknown as [{ id: string }];
      const callback = allow(await start('', bob), grant);
      await own.sql('ALTER TABLE notion_authorization RENAME TO notion_authorization_away');
      expect((await bob.get(callback)).status).toBe(202);
      const completed = ConnectApp.next('connect completed');
      await own.sql('ALTER TABLE notion_authorization_away RENAME TO notion_authorization');
      await completed;
      expect(await own.connect.list('owner-bob')).toMatchObject([{ id }]);
      const token = await own.tokens.getAccessToken(id);
      expect(simulator.ledger.isLive(token.reveal())).toBe(true);
    } finally {
      await own.close();
    }
  });

  it('hands a pair over to the journal when the application closes, for the next one to store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'notion-connect-'));
    const encryptionKey = randomBytes(32).toString('base64');
    const refresh = { callerWaitMs: 2_000, drainMs: 100, journalFolder: join(folder, 'journal') };
    const own = await startApp({ folder, encryptionKey, refresh });
    const visitor = new TestBrowser(own.url, 'owner-of-journal');
    const callback = allow(await start('', visitor), { person: 'Person 393' });
    await own.sql('ALTER TABLE notion_authorization RENAME TO notion_authorization_away');
    expect((await visitor.get(callback)).status).toBe(202);
    await own.close();
    await own.sql('ALTER TABLE notion_authorization_away RENAME TO notion_authorization');
    const next = await startApp({ folder, encryptionKey, refresh });
    try {
      expect(await next.connect.list('owner-of-journal')).toMatchObject([{ status: 'active', version: 1 }]);
    } finally {
      await next.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('J8: exchanges as many codes at once as it may, and lets the other callbacks come again', async () => {
    const own = await startApp({ connect: { maxExchanges: 2 } });
    try {
      const visitors = Array.from({ length: 8 }, (_, n) => new TestBrowser(own.url, `owner-of-code-${n}`));
      const callbacks = new Map<TestBrowser, string>();
      for (const [n, visitor] of visitors.entries()) {
        callbacks.set(visitor, allow(await start('', visitor), { person: `Person ${300 + n}` }));
      }
      simulator.configure({ delayMs: { token: 600 } });
      const mark = simulator.ledger.mark();
      const come = async (visitor: TestBrowser) => (await visitor.get(callbacks.get(visitor)!)).status;
      const first = visitors.slice(0, 2).map(come);
      while (simulator.ledger.since(mark).tokenRequests() < 2) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await Promise.all(visitors.slice(2).map(come))).toEqual([503, 503, 503, 503, 503, 503]);
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(2);
      expect(await Promise.all(first)).toEqual([303, 303]);
      simulator.configure({ delayMs: { token: 0 } });
      for (const visitor of visitors.slice(2)) expect(await come(visitor)).toBe(303);
    } finally {
      await own.close();
    }
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
    expect([...browser.cookies.keys()]).toEqual([COOKIE]);
    expect(browser.cookieHeader().length).toBeLessThan(100);
    expect((await browser.get(allow(await start()))).status).toBe(303);
  });
});

describe('the credentials of the client', () => {
  it.each(['a:b%ü', 'a::b', ':a b', 'a+b%3A/=', 'sécrét-🏔️'])(
    'D8: go out as %j is, in UTF-8, and end at the first colon',
    async (clientSecret) => {
      const headers: string[] = [];
      const notion = createServer((asked, answer) => {
        headers.push(asked.headers.authorization ?? '');
        answer.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
      });
      await new Promise<void>((resolve) => notion.listen(0, '127.0.0.1', resolve));
      const { port } = notion.address() as AddressInfo;
      const own = await startApp({ notionUrl: `http://127.0.0.1:${port}`, clientSecret });
      try {
        const visitor = new TestBrowser(own.url);
        const { location } = await visitor.get('/notion/connect');
        await visitor.get(withState(new URL(location).searchParams.get('state')!));
      } finally {
        await own.close();
        notion.close();
      }
      expect(headers).toHaveLength(1);
      const [scheme, credentials] = headers[0]!.split(' ');
      const text = Buffer.from(credentials!, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      expect([scheme, text.slice(0, colon), text.slice(colon + 1)]).toEqual([
        'Basic',
        simulator.clientId,
        clientSecret,
      ]);
    },
  );
});

describe('a link to reconnect', () => {
  const id = '3c4f7ac5-5a0e-4f4c-9b1b-0f6d5b6f7a11';

  it.each([
    [{}, `https://app.example/notion/connect?reconnect=${id}`],
    [
      { returnTo: '/a?b=c&d' },
      `https://app.example/notion/connect?reconnect=${id}&returnTo=%2Fa%3Fb%3Dc%26d`,
    ],
    [{ startUrl: 'https://app.example/start?old=1' }, `https://app.example/start?reconnect=${id}`],
  ])(
    'with %j leads to where the application starts connects, and holds nothing but the id',
    (given, link) => {
      expect(app.connect.reconnectLink(id, given)).toBe(link);
    },
  );

  it.each([
    ['https://app.example/notion/callback/', '/notion/connect'],
    ['https://app.example/notion/callback?tenant=1', '/notion/connect'],
    ['https://app.example/notion/callback/?tenant=1', '/notion/connect'],
    ['https://app.example/api/v1/notion/callback', '/api/v1/notion/connect'],
  ])('beside the redirect URI %s leads to %s', async (redirectUri, path) => {
    const own = await startApp({ redirectUri, routes: path.slice(1, -'/connect'.length) });
    try {
      expect(own.connect.reconnectLink(id)).toBe(`https://app.example${path}?reconnect=${id}`);
    } finally {
      await own.close();
    }
  });

  it('leads back when the redirect URI ends with a slash and has a query', async () => {
    const redirectUri = 'https://app.example/notion/callback/?from=notion';
    const notion = await NotionSimulator.start({ redirectUris: [redirectUri] });
    const { url: notionUrl, clientId, clientSecret } = notion;
    const own = await ConnectApp.start({ notionUrl, clientId, clientSecret, redirectUri });
    try {
      const visitor = new TestBrowser(own.url, 'owner-of-slash');
      const visit = async (path: string) => {
        const callback = new URL(notion.allow((await visitor.get(path)).location));
        return (await visitor.get(callback.pathname + callback.search)).status;
      };
      expect(await visit('/notion/connect')).toBe(303);
      const [{ id: theirs }] = (await own.connect.list('owner-of-slash')) as unknown as [{ id: string }];
      const link = new URL(own.connect.reconnectLink(theirs));
      expect(await visit(link.pathname + link.search)).toBe(303);
      expect(await own.connect.list('owner-of-slash')).toMatchObject([{ id: theirs, version: 2 }]);
    } finally {
      await own.close();
      await notion.close();
    }
  });

  it('F1: is made for no id that is none', () => {
    for (const other of ['', '*', "' OR 1=1--", `${id}&x`, [id], { $ne: 1 }, null]) {
      expect(() => app.connect.reconnectLink(other as string)).toThrow(NotionAuthorizationNotFoundError);
    }
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
    await expectRefused('/notion/callback?error=access_denied');
    await expectRefused(`/notion/callback?error=access_denied&state=${'x'.repeat(43)}`);
    await expectRefused(`/notion/callback?error=server_error&error_description=x&state=${'x'.repeat(43)}`);
  });

  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['a line break', 'first\r\nsecond'],
    ['7 KiB', 'x'.repeat(7_000)],
    ['an escape sequence', '\u001b[31mred'],
    ['a line separator', 'first\u2028second'],
    ['an attribute', '" onload="alert(1)'],
    ['a format string', '%s%s%n {{7*7}} ${7*7}'],
    ['a secret', 'nrt_this-looks-like-a-token'],
  ])('B3: writes one line of no description with %s, and repeats it nowhere', async (_what, description) => {
    const encoded = encodeURIComponent(description);
    for (const where of ['error_description', 'error_uri']) {
      const callback = `${deny(await start())}&${where}=${encoded}`;
      const lines = ConnectApp.log.length;
      const page = await browser.get(callback);
      expect([page.status, page.location, page.text]).toEqual([303, '/home?notion=denied', '']);
      const written = ConnectApp.log.slice(lines);
      expect(written).toEqual([
        expect.stringMatching(/^log connect denied stage=exchange reason=access_denied[\x20-\x7e]{0,40}$/),
      ]);
    }
    const unknown = `/notion/callback?error=${encoded}&state=${(await start()).searchParams.get('state')!}`;
    const lines = ConnectApp.log.length;
    expect((await browser.get(unknown)).location).toBe('/home?notion=denied');
    expect(ConnectApp.log.slice(lines)).toEqual([
      expect.stringMatching(/^log connect denied stage=exchange reason=other/),
    ]);
  });

  it('B3, B7: refuses a description of 10 KiB unread', async () => {
    const description = 'x'.repeat(10_240);
    const lines = ConnectApp.log.length;
    const { text } = await expectRefused(`${deny(await start())}&error_description=${description}`);
    expect(text + ConnectApp.log.slice(lines).join('')).not.toContain('xxx');
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
    ['B5', 'the same state', '&state=<state>'],
    ['B5', 'an empty code', '&code='],
    ['B5', 'an escaped second code', '&c%6fde=b'],
    ['B5', 'a second issuer', '&iss=&iss='],
    ['B5', 'two errors', '&error=a&error=b'],
    ['B6', 'an escaped array', '&code%5B%5D=a'],
    ['B6', 'an index', '&state[0]=a'],
    ['B6', 'a constructor', '&constructor[prototype][x]=1'],
    ['B6', 'a nested prototype', '&a[__proto__][x]=1'],
    ['B7', '8 KiB', `&pad=${'p'.repeat(8_192)}`],
  ])('%s: refuses a callback with %s added, and leaves its state unused', async (_id, _what, extra) => {
    const callback = allow(await start());
    const state = new URL(callback, app.url).searchParams.get('state')!;
    await expectRefused(callback + extra.replace('<state>', state));
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect((await browser.get(callback)).status).toBe(303);
  });

  it.each([
    ['B7', 'code of 2,049 characters', 'c'.repeat(2_049), null],
    ['B7', 'state of 257 characters', 'c', 's'.repeat(257)],
    ['B7', 'query of more than 8 KiB', 'c'.repeat(8_192), null],
    ['B8', 'code with a NUL', 'a\u0000', null],
    ['B8', 'code with a line break', 'a\r\nb', null],
    ['B8', 'code with a line feed', 'a\nb', null],
    ['B8', 'code with a tab', 'a\tb', null],
    ['B8', 'code with DEL', 'a\u007f', null],
    ['B8', 'code with C1', 'a\u0085', null],
    ['B8', 'code outside ASCII', 'ä', null],
    ['B8', 'code that turns around', 'a\u202eb', null],
    ['B8', 'state with a NUL', 'c', `${'s'.repeat(42)}\u0000`],
    ['B8', 'state with a line break', 'c', `${'s'.repeat(42)}\r\n`],
    ['B8', 'state outside ASCII', 'c', 'ſ'.repeat(43)],
  ])('%s: refuses a %s before it asks the database', async (_id, _what, code, state) => {
    const begun = (await start()).searchParams.get('state')!;
    await app.sql('ALTER TABLE notion_oauth_state RENAME TO notion_oauth_state_away');
    try {
      // Whatever asked the database now would be answered 503.
      await expectRefused(withState(state ?? begun, code));
    } finally {
      await app.sql('ALTER TABLE notion_oauth_state_away RENAME TO notion_oauth_state');
    }
  });

  it('B7: answers a request line that no server reads with its refusal, not with a crash', async () => {
    const page = await browser.get(`/notion/callback?code=${'c'.repeat(70_000)}`).catch(() => null);
    expect([null, 400, 414, 431]).toContain(page?.status ?? null);
    expect((await browser.get('/notion/connect')).status).toBe(303);
  });

  it('B9: takes a callback with both code and error for an error', async () => {
    const callback = `${allow(await start())}&error=access_denied`;
    const sent = await tokenRequestsDuring(async () => {
      expect((await browser.get(callback)).location).toBe('/home?notion=denied');
    });
    expect(sent).toBe(0);
    await expectRefused(callback);
  });

  it('B10, F6: refuses a reconnect that comes back as another workspace, alerts, and touches neither', async () => {
    const id = await connected({ workspace: 'Lighthouse Studio' });
    const neighbour = newBrowser();
    const other = await connected({ workspace: 'Garden Club', person: 'Person 399' }, '', neighbour);
    const rows = () => app.sql(`SELECT * FROM notion_authorization WHERE id IN ('${id}', '${other}')`);
    const [before, mark] = [await rows(), simulator.ledger.mark()];
    const page = await browser.get(allow(await start(`?reconnect=${id}`), { workspace: 'Garden Club' }));
    expect(page.status).toBe(409);
    expect(await rows()).toEqual(before);
    // The pair that came may be the one that somebody else lives on.
    expect(simulator.ledger.since(mark).revocations()).toBe(0);
    expect(page.text).toContain(`<a href="/notion/connect?reconnect=${id}">Start again</a>`);
    expect(await app.connect.list(browser.user!)).toMatchObject([
      { id, version: 1, workspaceName: 'Lighthouse Studio' },
    ]);
    expect(await app.connect.list(neighbour.user!)).toMatchObject([{ id: other, version: 1 }]);
    expect(ConnectApp.log).toContainEqual(
      expect.stringContaining(`error connect other_grant stage=exchange authorization=${id}`),
    );
  });

  it('B10: renews the other workspace where it was connected already, and says so', async () => {
    const id = await connected({ workspace: 'Lighthouse Studio' });
    const other = await connected({ workspace: 'Garden Club' });
    const page = await browser.get(allow(await start(`?reconnect=${id}`), { workspace: 'Garden Club' }));
    expect(page.status).toBe(409);
    expect(page.text).toContain(
      'You chose “Garden Club”, which was connected already. Its connection was renewed.',
    );
    expect(page.text).toContain('“Lighthouse Studio” was not reconnected.');
    expect(await app.connect.list(browser.user!)).toMatchObject([
      { id, version: 1 },
      { id: other, version: 2, status: 'active' },
    ]);
    const token = await app.tokens.getAccessToken(other);
    expect(simulator.ledger.isLive(token.reveal())).toBe(true);
  });

  it("B10, F6: keeps another owner's grant alive that a reconnect comes back as, and links nobody", async () => {
    const id = await connected({ workspace: 'Lighthouse Studio' });
    const neighbour = newBrowser();
    const somebodyElse = 'Person 398';
    const other = await connected({ workspace: 'Lighthouse Studio', person: somebodyElse }, '', neighbour);
    const row = () => app.sql(`SELECT * FROM notion_authorization WHERE id = '${id}'`);
    const links = () => app.sql('SELECT * FROM notion_authorization_owner');
    const before = [await row(), await links()];
    const page = await browser.get(allow(await start(`?reconnect=${id}`), { person: somebodyElse }));
    expect(page.status).toBe(409);
    expect(page.text).toContain('None of your connections was changed.');
    expect([await row(), await links()]).toEqual(before);
    const token = await app.tokens.getAccessToken(other);
    expect(simulator.ledger.isLive(token.reveal())).toBe(true);
  });

  it('B10: refuses a reconnect that comes back as another person of the same workspace', async () => {
    const id = await connected({ workspace: 'Lighthouse Studio' });
    const callback = allow(await start(`?reconnect=${id}`), {
      workspace: 'Lighthouse Studio',
      person: 'Person 398',
    });
    expect((await browser.get(callback)).status).toBe(409);
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id, version: 1, status: 'active' }]);
  });

  it('B11: sends a code once, also when the answer is lost', async () => {
    simulator.fail('exchange', { kind: 'drop_after' });
    const callback = allow(await start());
    const sent = await tokenRequestsDuring(async () => {
      const page = await browser.get(callback);
      expect(page.status).toBe(502);
      expect(page.text).toContain('Start again now. Until you do,');
      expect(page.text).not.toContain('Nothing was changed');
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

  it('B12: leaves what is connected as it was when a reconnect brings a dead code', async () => {
    const id = await connected();
    const state = (await start(`?reconnect=${id}`)).searchParams.get('state')!;
    expect((await browser.get(withState(state))).status).toBe(400);
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id, version: 1, status: 'active' }]);
  });

  it('B13: answers a refused client as trouble upstream, never as a 401 of ours, and alerts', async () => {
    simulator.fail('exchange', { kind: 'status', status: 401, code: 'invalid_client' });
    const lines = ConnectApp.log.length;
    const page = await browser.get(allow(await start()));
    expect([page.status, page.headers['www-authenticate']]).toEqual([502, undefined]);
    expect(await app.connect.list(browser.user!)).toEqual([]);
    expect(ConnectApp.log.slice(lines)).toContainEqual(
      expect.stringContaining(
        'error connect failed stage=exchange kind=configuration status=401 code=invalid_client',
      ),
    );
  });

  it.each([
    ['HTML', { kind: 'html', status: 200, processed: true }],
    ['no access_token', { kind: 'missing_field', field: 'access_token' }],
    ['another token_type', { kind: 'override', fields: { token_type: 'mac' } }],
    ['half of the JSON', { kind: 'truncate' }],
    ['JSON that ends early', { kind: 'cut_json' }],
    ['no bot', { kind: 'missing_field', field: 'bot_id' }],
    ['no workspace', { kind: 'missing_field', field: 'workspace_id' }],
    ['no token_type', { kind: 'missing_field', field: 'token_type' }],
    ['a token that is a number', { kind: 'override', fields: { access_token: 7 } }],
    ['a token that is empty', { kind: 'override', fields: { access_token: '' } }],
    ['a token that is an object', { kind: 'override', fields: { access_token: { $ne: 1 } } }],
    ['a token that breaks the line', { kind: 'override', fields: { access_token: 'a\r\nx-evil: 1' } }],
    ['a token outside ASCII', { kind: 'override', fields: { access_token: 'tökén' } }],
    ['an array', { kind: 'status', status: 200, body: '[]' }],
    ['null', { kind: 'status', status: 200, body: 'null' }],
    ['nothing', { kind: 'status', status: 200, body: '' }],
    ['a form', { kind: 'status', status: 200, body: 'access_token=a&token_type=bearer' }],
    ['204 and nothing', { kind: 'status', status: 204, body: '' }],
  ] as const)('B14: keeps nothing of an answer with %s', async (_what, fault) => {
    simulator.fail('exchange', fault);
    expect((await browser.get(allow(await start()))).status).toBe(502);
    expect(await app.connect.list(browser.user!)).toEqual([]);
  });

  it.each([
    ['invalid_grant', { error: 'invalid_grant' }, 400, 'dead'],
    ['invalid_client', { error: 'invalid_client' }, 502, 'configuration'],
    ['invalid_request', { error: 'invalid_request' }, 502, 'not_processed'],
    ['server_error', { error: 'server_error' }, 502, 'unknown'],
    ['malformed_response', { error: { message: 'no' } }, 502, 'unknown'],
    ['validation_error', { object: 'error', code: 'validation_error' }, 502, 'unknown'],
  ])(
    'B14: keeps nothing of a 200 with the error %s, also beside tokens, and tells it from the others',
    async (code, fields, status, kind) => {
      const own = await startApp();
      try {
        const visitor = new TestBrowser(own.url, 'owner-of-errors');
        for (const fault of [
          { kind: 'status', status: 200, body: fields },
          { kind: 'override', fields },
        ] as const) {
          const lines = ConnectApp.log.length;
          simulator.fail('exchange', fault);
          expect((await visitor.get(allow(await start('', visitor)))).status).toBe(status);
          expect(await own.connect.list('owner-of-errors')).toEqual([]);
          expect(ConnectApp.log.slice(lines)).toContainEqual(
            expect.stringContaining(`connect failed stage=exchange kind=${kind} status=200 code=${code}`),
          );
        }
      } finally {
        await own.close();
      }
    },
  );

  it('takes a token response with an empty error for what it is', async () => {
    simulator.fail('exchange', { kind: 'override', fields: { error: null } });
    await connected();
    expect(await app.connect.list(browser.user!)).toMatchObject([{ status: 'active' }]);
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
  it.each([
    "' OR 1=1--",
    '{"$ne":1}',
    '1; DROP TABLE notion_authorization',
    "x' UNION SELECT 1--",
    '%',
    '_'.repeat(36),
    '\u0000',
  ])('E17: takes %j for the id of nothing, whoever asks', async (id) => {
    const mine = await connected();
    for (const query of [
      `reconnect=${encodeURIComponent(id)}`,
      `reconnect=&reconnect=${encodeURIComponent(id)}`,
    ]) {
      const page = await browser.get(`/notion/connect?${query}`);
      expect([303, 404]).toContain(page.status);
      if (id.length > 1) expect(page.text).not.toContain(id);
    }
    expect((await browser.get(`/notion/connect?reconnect=${encodeURIComponent(id)}`)).status).toBe(404);
    for (const odd of [id, [id], { $ne: id }, [mine], { toString: () => mine }, Object(mine), 1, true]) {
      await expect(app.connect.disconnect(odd as string, browser.user!)).rejects.toThrow(
        NotionAuthorizationNotFoundError,
      );
    }
    expect(await app.connect.list(browser.user!)).toMatchObject([{ id: mine, status: 'active' }]);
  });

  it("E17: keeps an owner called ' OR 1=1-- apart from all others", async () => {
    const mine = await connected();
    for (const ownerId of ["' OR 1=1--", "' OR ''='", '%', browser.user!.replace('-', '_')]) {
      expect(await app.connect.list(ownerId)).toEqual([]);
      await expect(app.connect.disconnect(mine, ownerId)).rejects.toThrow(NotionAuthorizationNotFoundError);
      const { url } = await app.connect.authorizeUrl({ ownerId });
      expect(new URL(url).searchParams.get('state')).toHaveLength(43);
    }
  });

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

  it.each([
    [{}, 500, NotionOwnerInvalidError],
    [[], 500, NotionOwnerInvalidError],
    [0, 500, NotionOwnerInvalidError],
    ['', 401, NotionOwnerRequiredError],
    [null, 401, NotionOwnerRequiredError],
  ] as const)('F4: takes %j for no owner (%i)', async (owner, status, failure) => {
    await expect(app.connect.list(owner as string)).rejects.toThrow(failure);
    const odd = await startApp({ resolveOwner: () => owner as never });
    try {
      expect((await new TestBrowser(odd.url).get('/notion/connect')).status).toBe(status);
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

  it('says revoke_pending while Notion does not confirm', async () => {
    const id = await connected();
    simulator.fail('revoke', { kind: 'status', status: 503 });
    await expect(app.connect.disconnect(id, browser.user!)).resolves.toBe('revoke_pending');
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
      expect(await visitor.get(callback)).toMatchObject({ status: 303, location: '/account' });
      const stranger = await visitor.get(`/account/linked?code=c&state=${'x'.repeat(43)}`);
      expect(stranger.status).toBe(400);
      expect(stranger.text).toContain('<a href="/home?notion=failed">Back to the application</a>');
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
