import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { INestApplication, LoggerService, Type } from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Request, Response } from 'express';
import {
  NotionAuthModule,
  NotionCallback,
  NotionCallbackGuard,
  NotionConfigError,
  NotionConnectFilter,
  NotionConnectService,
  VerifiedCallback,
  type ConnectStart,
  type NotionAuthOptions,
  type NotionAuthWiring,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { PrefixProxy } from '../support/prefix.proxy.js';
import { TestBrowser } from '../support/test-browser.js';

const FIRST = 'https://app.example/notion/callback';
const TENANT = 'https://acme.app.example/notion/callback';

let simulator: NotionSimulator;
let folder: string;
let databases = 0;
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  simulator = await NotionSimulator.start({ redirectUris: [FIRST, TENANT] });
  folder = mkdtempSync(join(tmpdir(), 'notion-addresses-'));
});

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

type Platform = 'Express' | 'Fastify';
interface Host extends Partial<NotionAuthOptions>, NotionAuthWiring {
  readonly trustProxy?: boolean;
  readonly globalPrefix?: string;
  readonly controllers?: Type[];
}

async function start(
  platform: Platform,
  { trustProxy = false, globalPrefix, controllers, ...options }: Host,
) {
  databases += 1;
  const testing = await Test.createTestingModule({
    imports: [
      NotionAuthModule.forRoot({
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        apiBaseUrl: simulator.url,
        redirectUris: [FIRST],
        databaseFile: join(folder, `${databases}.sqlite`),
        resolveOwner: (request: { headers: Record<string, string | undefined> }) =>
          request.headers['x-session-user'],
        ...options,
      }),
    ],
    controllers,
  }).compile();
  const adapter = platform === 'Fastify' ? new FastifyAdapter({ trustProxy }) : new ExpressAdapter();
  const nest: INestApplication = testing.createNestApplication(adapter);
  if (platform === 'Express') (nest as NestExpressApplication).set('trust proxy', trustProxy);
  const lines: string[] = [];
  const write = (text: unknown) => void lines.push(String(text));
  const logger: LoggerService = { log: write, warn: write, error: write };
  nest.useLogger(logger);
  open.push(nest);
  if (globalPrefix !== undefined) nest.setGlobalPrefix(globalPrefix);
  await nest.listen(0, '127.0.0.1');
  const { port } = (nest.getHttpServer() as { address(): AddressInfo }).address();
  return { port, lines, service: nest.get(NotionConnectService) };
}

function redirectUriIn(authorizeUrl: string): string | null {
  return new URL(authorizeUrl).searchParams.get('redirect_uri');
}

describe.each<Platform>(['Express', 'Fastify'])(
  'C8: on %s, behind a proxy that removes a path prefix',
  (platform) => {
    it.each([
      ['/api', undefined, '/api/notion'],
      ['/gateway', 'v1', '/gateway/v1/notion'],
    ])(
      'connects, links and starts again below %s (global prefix: %s)',
      async (prefix, globalPrefix, path) => {
        const proxy = await PrefixProxy.start(prefix);
        open.push(proxy);
        const origin = `http://localhost:${proxy.port}`;
        const redirectUri = `${origin}${path}/callback`;
        simulator.registerRedirectUri(redirectUri);
        const app = await start(platform, {
          redirectUris: [redirectUri],
          publicBasePath: prefix,
          globalPrefix,
        });
        proxy.passTo(app.port);

        const browser = new TestBrowser(origin, 'ada');
        const visit = async (from: string) => {
          const { location } = await browser.get(from);
          const callback = new URL(simulator.allow(location));
          return browser.get(callback.pathname + callback.search);
        };
        expect((await visit(`${path}/connect`)).status).toBe(303);
        const [authorization] = await app.service.list('ada');
        const link = new URL(app.service.reconnectLink(authorization!.id));
        expect(link.origin + link.pathname).toBe(`${origin}${path}/connect`);
        expect((await visit(link.pathname + link.search)).status).toBe(303);
        expect(await app.service.list('ada')).toMatchObject([{ id: authorization!.id, version: 2 }]);

        const refused = await browser.get(`${path}/callback?code=c&state=${'x'.repeat(43)}`);
        expect(refused.text).toContain(`<a href="${path}/connect">Start again</a>`);
      },
    );

    it('does not start without the option, which its error names with the value', async () => {
      const failure: unknown = await start(platform, {
        redirectUris: ['https://app.example/api/notion/callback'],
      }).catch((error: unknown) => error);
      expect((failure as NotionConfigError).message).toContain(
        'set publicBasePath (NOTION_AUTH_PUBLIC_BASE_PATH) to /api;',
      );
    });

    it('starts without a callback where a process serves none, and makes the same links', async () => {
      const redirectUris = ['https://app.example/api/notion/callback'];
      const app = await start(platform, { redirectUris, servesCallback: false });
      const id = '3c4f7ac5-5a0e-4f4c-9b1b-0f6d5b6f7a11';
      expect(app.service.reconnectLink(id)).toBe(`https://app.example/api/notion/connect?reconnect=${id}`);
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`);
      for (const path of ['/notion/connect', '/notion/callback'])
        expect((await browser.get(path)).status).toBe(404);
    });
  },
);

describe.each<Platform>(['Express', 'Fastify'])(
  'C9: on %s, with a redirect URI on each of two hosts',
  (platform) => {
    const redirectUris = [FIRST, TENANT];

    it.each<[string, Record<string, string>, boolean, string]>([
      ['the first host', { host: 'app.example' }, false, FIRST],
      ['the second host', { host: 'acme.app.example' }, false, TENANT],
      ['the second host with its default port', { host: 'ACME.app.example:443' }, false, TENANT],
      ['no configured host', { host: 'evil.example' }, true, FIRST],
      [
        'the second host behind a trusted proxy',
        { host: 'backend:3000', 'x-forwarded-host': 'acme.app.example' },
        true,
        TENANT,
      ],
      [
        'a host that no trusted proxy names',
        { host: 'app.example', 'x-forwarded-host': 'acme.app.example' },
        false,
        FIRST,
      ],
      [
        'no configured host behind a trusted proxy',
        { host: 'acme.app.example', 'x-forwarded-host': 'evil.example' },
        true,
        FIRST,
      ],
    ])('sends the user back from where they came: %s', async (_, headers, trustProxy, redirectUri) => {
      const app = await start(platform, { redirectUris, trustProxy });
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`, 'ada');
      const { location } = await browser.get('/notion/connect', headers);
      expect(redirectUriIn(location)).toBe(redirectUri);
      const mark = simulator.ledger.mark();
      const callback = new URL(simulator.allow(location));
      const { status } = await browser.get(callback.pathname + callback.search, { host: callback.host });
      // The simulator refuses a code whose exchange names another redirect URI.
      expect(status).toBe(303);
      expect(simulator.ledger.since(mark).requests({ grantType: 'authorization_code' })).toMatchObject([
        { status: 200 },
      ]);
    });

    it('names both hosts in the log and the right address on the page, when another was opened', async () => {
      const app = await start(platform, { redirectUris });
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`, 'ada');
      const { location } = await browser.get('/notion/connect', { host: 'www.app.example:8443' });
      expect(app.lines).toContainEqual(
        expect.stringMatching(
          /^connect opened on another host .* host=www\.app\.example:8443 redirect_host=app\.example$/,
        ),
      );
      const callback = new URL(simulator.allow(location));
      // The cookie stays with the host that set it.
      browser.cookies.clear();
      const page = await browser.get(callback.pathname + callback.search, { host: 'app.example' });
      expect(page.status).toBe(400);
      expect(page.text).toContain('Open the application at https://app.example in this browser');
      const json = await browser.get(callback.pathname + callback.search, {
        host: 'acme.app.example',
        accept: 'application/json',
      });
      expect((JSON.parse(json.text) as { message: string }).message).toContain('https://acme.app.example');
    });

    it('shows nothing of a host that is not configured', async () => {
      const app = await start(platform, { redirectUris });
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`, 'ada');
      for (const host of ['evil.example', "x'><script>alert(1)</script>", 'acme.app.example@evil.example']) {
        const { text } = await browser.get(`/notion/callback?code=c&state=${'x'.repeat(43)}`, { host });
        expect(text).toContain('https://app.example');
        expect(text).not.toMatch(/evil|<script/);
      }
    });

    it('writes few lines about a flood of other hosts', async () => {
      const app = await start(platform, { redirectUris });
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`, 'ada');
      for (let n = 0; n < 40; n += 1) await browser.get('/notion/connect', { host: `h${n}.example` });
      expect(app.lines.filter((line) => line.startsWith('connect opened on another host'))).toHaveLength(20);
    });
  },
);

describe('C9: the application itself', () => {
  @Controller('notion')
  @UseFilters(NotionConnectFilter)
  class OwnController {
    static choice: Pick<ConnectStart, 'host' | 'redirectUri'> | null = null;

    constructor(private readonly connect: NotionConnectService) {}

    @Get('connect')
    async start(@Req() request: Request, @Res() response: Response): Promise<void> {
      const { url, setCookie } = await this.connect.authorizeUrl({
        ownerId: 'ada',
        cookies: request.headers.cookie,
        ...(OwnController.choice ?? { host: request.host }),
      });
      response.append('Set-Cookie', setCookie).redirect(303, url);
    }

    @Get('callback')
    @UseGuards(NotionCallbackGuard)
    @Header('Cache-Control', 'no-store')
    async finish(@NotionCallback() callback: VerifiedCallback, @Res() response: Response): Promise<void> {
      response.redirect(303, (await this.connect.complete(callback)).returnTo);
    }
  }

  const LOCAL = 'http://localhost:3000/notion/callback';
  const own: Host = { redirectUris: [FIRST, LOCAL], routes: false, controllers: [OwnController] };

  it.each<[string, Pick<ConnectStart, 'host' | 'redirectUri'> | null, string, RegExp]>([
    [
      'by the host of the request',
      null,
      LOCAL,
      /^notion-auth=[^;]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    ],
    [
      'by its own choice',
      { redirectUri: FIRST, host: 'localhost:3000' },
      FIRST,
      /^__Host-notion-auth=.*; Secure/,
    ],
    ['by nothing', {}, FIRST, /^__Host-notion-auth=.*; Secure/],
  ])(
    'takes the redirect URI %s, and the cookie that goes with it',
    async (_, choice, redirectUri, cookie) => {
      simulator.registerRedirectUri(LOCAL);
      OwnController.choice = choice;
      const app = await start('Express', own);
      const browser = new TestBrowser(`http://127.0.0.1:${app.port}`, 'ada');
      const { location, headers } = await browser.get('/notion/connect', { host: 'localhost:3000' });
      expect(redirectUriIn(location)).toBe(redirectUri);
      expect(String(headers['set-cookie'])).toMatch(cookie);
      const callback = new URL(simulator.allow(location));
      const finished = await browser.get(callback.pathname + callback.search, { host: callback.host });
      expect(finished.status).toBe(303);
    },
  );

  it('cannot name a redirect URI that is not configured, and is told which are', async () => {
    const app = await start('Express', own);
    const begin = app.service.authorizeUrl({
      ownerId: 'ada',
      redirectUri: 'https://evil.example/notion/callback',
    });
    await expect(begin).rejects.toThrow(NotionConfigError);
    await expect(begin).rejects.toThrow(
      `give one of redirectUris (NOTION_REDIRECT_URIS), byte for byte: ${FIRST}, ${LOCAL}`,
    );
  });
});
