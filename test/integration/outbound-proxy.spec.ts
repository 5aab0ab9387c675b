import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import tls, { type ConnectionOptions } from 'node:tls';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  diagnose,
  NotionConfigError,
  NotionRefreshFailedError,
  Secret,
  type Authorization,
  type OutboundOptions,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Agent, interceptors, ProxyAgent } from 'undici';
import { ClientSecrets } from '../../src/notion/client-secrets.js';
import { UpstreamConnector } from '../../src/config/upstream.connector.js';
import { NotionOAuthClient } from '../../src/notion/notion-oauth.client.js';
import { OAuthTransport } from '../../src/notion/oauth.transport.js';
import { resolveConfig } from '../../src/config/resolve-config.js';
import { SystemClock } from '../../src/domain/clock.js';
import { BadNotion } from '../support/bad.notion.js';
import { ForeignServer } from '../support/foreign.server.js';
import { ForwardProxy } from '../support/forward.proxy.js';
import { databaseFor, NotionApp, REDIRECT_URI, type NotionAppOptions } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'] as const;
const PASSWORD = 'p@ss:word/of-the-proxy';
const CREDENTIALS = `Basic ${Buffer.from(`crm:${PASSWORD}`).toString('base64')}`;

let simulator: NotionSimulator;
let storage: Awaited<ReturnType<typeof databaseFor>>;
let proxy: ForwardProxy;
/** An origin that nothing listens on: only the proxy leads to the simulator. */
let hidden: string;
let saved: Readonly<Record<string, string | undefined>>;
const apps: NotionApp[] = [];

beforeEach(async () => {
  saved = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
  simulator = await NotionSimulator.start();
  storage = await databaseFor(sqlite);
  proxy = await ForwardProxy.start();
  hidden = `http://127.0.0.1:${await closedPort()}`;
  proxy.leadsTo = simulator.url;
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await proxy.close();
  await simulator.close();
  await storage.drop();
  for (const [name, value] of Object.entries(saved))
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
});

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startApp(
  outbound: OutboundOptions,
  options: NotionAppOptions = {},
): Promise<{ app: NotionApp; authorization: Authorization }> {
  const app = await NotionApp.start(simulator, {
    ...storage.options,
    apiBaseUrl: hidden,
    outbound,
    ...options,
  });
  apps.push(app);
  return { app, authorization: await app.keep(simulator.grant()) };
}

function callMe(app: NotionApp, { id }: Authorization): Promise<Response> {
  return app.clients.fetchFor(id)('/v1/users/me', { headers: { 'notion-version': '2026-03-11' } });
}

function refresh(app: NotionApp, { id }: Authorization) {
  return app.refreshes.refresh(id, { trigger: 'manual' });
}

/** Every kind of request of the module: refresh, call, SDK, revocation. */
async function useAll(app: NotionApp, authorization: Authorization): Promise<void> {
  expect(await refresh(app, authorization)).toMatchObject({ kind: 'renewed' });
  expect((await callMe(app, authorization)).status).toBe(200);
  expect(await app.clients.forAuthorization(authorization.id).users.me({})).toMatchObject({ type: 'bot' });
  expect(await app.connect.disconnect(authorization.id, 'owner-1')).toBe('revoked');
}

function withCredentials(password = PASSWORD): string {
  return `http://crm:${encodeURIComponent(password)}@${proxy.host}`;
}

describe('outbound.proxy with a URL', () => {
  it('takes every request of the module through tunnels to the configured origin', async () => {
    const { app, authorization } = await startApp({ proxy: `http://${proxy.host}` });
    await useAll(app, authorization);
    expect(new Set(proxy.targets)).toEqual(new Set([new URL(hidden).host]));
    expect(proxy.requests).toEqual([]);
  });

  it('G16: shows the proxy no request, no token and no client secret, and Notion no credentials of the proxy', async () => {
    const notion = await BadNotion.start('https');
    const heads: string[] = [];
    notion.behaviour = (response, request) => {
      heads.push(inspect(request.rawHeaders));
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"access_token":"ntn_proxy_a","refresh_token":"nrt_proxy_r","object":"user"}');
    };
    proxy.authorization = CREDENTIALS;
    proxy.leadsTo = null;
    // No authority has signed this certificate; that it is not trusted is another test.
    const { connect } = tls;
    jest
      .spyOn(tls, 'connect')
      .mockImplementation(((options: ConnectionOptions) =>
        connect({ ...options, rejectUnauthorized: false })) as typeof connect);
    try {
      const { app, authorization } = await startApp({ proxy: withCredentials() }, { apiBaseUrl: notion.url });
      expect((await callMe(app, authorization)).status).toBe(200);
      await refresh(app, authorization);
      expect(notion.requests.map(({ path }) => path)).toEqual(['/v1/users/me', '/v1/oauth/token']);
      expect(proxy.targets).toEqual([new URL(notion.url).host, new URL(notion.url).host]);
      expect(proxy.read.length).toBeGreaterThan(100);
      expect(proxy.read).not.toMatch(/bearer|ntn_|nrt_|authorization|oauth/i);
      expect(heads.join()).not.toMatch(/proxy-/i);
    } finally {
      jest.restoreAllMocks();
      await notion.close();
    }
  });

  it('G16: does not trust what answers in the tunnel without a certificate of the origin', async () => {
    const notion = await BadNotion.start('https');
    proxy.leadsTo = notion.url;
    const { app, authorization } = await startApp(
      { proxy: `http://${proxy.host}` },
      { apiBaseUrl: 'https://notion.invalid' },
    );
    expect(await refresh(app, authorization)).toMatchObject({ kind: 'not_sent', failure: { code: 'tls' } });
    await expect(callMe(app, authorization)).rejects.toMatchObject({ message: 'fetch failed' });
    expect(notion.requests).toEqual([]);
    expect(new Set(proxy.targets)).toEqual(new Set(['notion.invalid:443']));
    await notion.close();
  });

  it('opens no more tunnels at once than outbound.maxSockets, and uses them again', async () => {
    const { app, authorization } = await startApp({ proxy: `http://${proxy.host}`, maxSockets: 2 });
    await Promise.all(Array.from({ length: 10 }, () => callMe(app, authorization)));
    expect(proxy.mostOpen).toBe(2);
    expect(proxy.targets).toHaveLength(2);
  });

  it('ends a call after outbound.callTimeoutMs when the proxy does not respond', async () => {
    proxy.status = null;
    const { app, authorization } = await startApp({ proxy: `http://${proxy.host}`, callTimeoutMs: 300 });
    await expect(callMe(app, authorization)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('a proxy that opens no tunnel', () => {
  const lines: string[] = [];

  beforeEach(() => {
    lines.length = 0;
    for (const level of ['log', 'warn', 'error'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => {
        lines.push(String(line));
      });
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function failuresOf(url: string) {
    const { app, authorization } = await startApp({ proxy: url });
    const call: unknown = await callMe(app, authorization).catch((error: unknown) => error);
    const outcome = await refresh(app, await app.keep(simulator.grant()));
    const token: unknown = await app.tokens
      .getAccessToken(authorization.id, { rejected: await app.tokens.getAccessToken(authorization.id) })
      .catch((error: unknown) => error);
    return { call, outcome, token };
  }

  it.each([
    [
      'that nothing listens on',
      'proxy_unreachable',
      /^The proxy \S+ cannot be reached \(ECONNREFUSED\)\. Check outbound\.proxy \(NOTION_AUTH_PROXY\), DNS and the firewall\.$/,
      async () => {
        const url = withCredentials();
        await proxy.close();
        proxy = await ForwardProxy.start();
        return url;
      },
    ],
    [
      'that asks for other credentials (407)',
      'proxy_authentication_required',
      /^The proxy \S+ requires valid credentials \(407\)\. Set its user name and password in outbound\.proxy \(NOTION_AUTH_PROXY\)/,
      () => {
        proxy.authorization = CREDENTIALS;
        return withCredentials(`${PASSWORD}-of-yesterday`);
      },
    ],
    [
      'that does not allow the target (403)',
      'proxy_rejected',
      /^The proxy \S+ did not open a tunnel to \S+ \(403\)\. Allow that host and port at the proxy/,
      () => {
        proxy.status = 403;
        return withCredentials();
      },
    ],
  ] as const)('G16: %s: is named by host alone in errors and log', async (_what, code, message, prepare) => {
    const url = await prepare();
    const { host } = new URL(url);
    const { call, outcome, token } = await failuresOf(url);
    expect(call).toMatchObject({ message: 'fetch failed', cause: { code, proxy: host } });
    expect((call as Error).cause).toHaveProperty('message', expect.stringMatching(message));
    expect(outcome).toMatchObject({ kind: 'not_sent', failure: { code, proxy: host } });
    expect(token).toBeInstanceOf(NotionRefreshFailedError);
    expect((token as Error).message).toContain(`proxy ${host}`);
    expect(lines.join('\n')).toContain(`proxy failed proxy=${host} code=${code}`);
    for (const error of [call, token])
      expect(diagnose(error, { stage: 'api' })).toMatchObject({ family: 'network', needsPerson: false });
    expect(diagnose(call, { stage: 'api' }).fix.join()).toContain('NOTION_AUTH_PROXY');
    const shown = inspect([call, outcome, token, lines], { depth: 8, showHidden: true });
    expect(shown).not.toContain('yesterday');
    expect(shown).not.toContain(encodeURIComponent(PASSWORD));
    expect(shown).not.toContain('Basic ');
  });
});

describe('outbound.proxy: environment', () => {
  it.each([
    ['HTTP_PROXY', '', 2],
    ['http_proxy', '', 2],
    ['HTTP_PROXY', 'example.com,.internal', 2],
    ['HTTP_PROXY', '127.0.0.1', 0],
    ['http_proxy', 'example.com *', 0],
  ])('honours %s with NO_PROXY=%s', async (variable, noProxy, tunnels) => {
    process.env[variable] = `http://${proxy.host}`;
    if (noProxy !== '') process.env['NO_PROXY'] = noProxy;
    const { app, authorization } = await startApp({ proxy: 'environment' }, { apiBaseUrl: simulator.url });
    expect((await callMe(app, authorization)).status).toBe(200);
    expect(await refresh(app, authorization)).toMatchObject({ kind: 'renewed' });
    expect(proxy.targets).toHaveLength(tunnels);
  });

  const proxyOf = (environment: Record<string, string>, apiBaseUrl = 'https://api.notion.com') =>
    resolveConfig(
      {
        clientId: 'crm-integration',
        clientSecret: 'secret_of_the_integration',
        redirectUris: [REDIRECT_URI],
        apiBaseUrl,
        outbound: { proxy: 'environment' },
      },
      environment,
    ).outbound.proxy;

  it.each([
    [{ HTTPS_PROXY: 'http://p:1' }, 'p:1'],
    [{ https_proxy: 'p:1' }, 'p:1'],
    [{ HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' }, 'q:2'],
    [{ HTTP_PROXY: 'http://p:1' }, null],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '.notion.com' }, null],
    [{ HTTPS_PROXY: 'http://p:1', no_proxy: 'notion.com:8443, *.notion.so' }, 'p:1'],
    [{ HTTPS_PROXY: 'http://p:1', no_proxy: 'API.notion.com:443' }, null],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'tion.com' }, 'p:1'],
  ])('reads %j as %s', (environment, host) => {
    expect(proxyOf(environment as Record<string, string>)).toEqual(
      host === null ? null : expect.objectContaining({ host }),
    );
  });

  it('warns when a variable names a proxy and the option is not set, and not when the option is null', () => {
    const options = {
      clientId: 'crm-integration',
      clientSecret: 'secret_of_the_integration',
      redirectUris: [REDIRECT_URI],
    };
    const environment = { HTTPS_PROXY: 'http://crm:hush@p:1' };
    const warning = resolveConfig(options, environment).warnings.find((line) => line.includes('proxy'));
    expect(warning).toBe(
      "outbound.proxy (NOTION_AUTH_PROXY): is not set, so requests to https://api.notion.com do not use the proxy that HTTPS_PROXY names; set it (or NOTION_AUTH_PROXY) to 'environment' to use that proxy; to send requests directly without this warning, set it to null in code, or set NOTION_AUTH_PROXY to an empty value",
    );
    const { warnings } = resolveConfig({ ...options, outbound: { proxy: null } }, environment);
    expect(warnings.filter((line) => line.includes('proxy'))).toEqual([]);
  });
});

describe('a value that is no proxy', () => {
  it.each(['proxy.example:3128', 'socks5://proxy.example:1080', 'http://proxy.example/path', ' ', 7])(
    'stops the start by name and never by value: %s',
    (proxyOption) => {
      const resolve = () =>
        resolveConfig({
          clientId: 'crm-integration',
          clientSecret: 'secret_of_the_integration',
          redirectUris: [REDIRECT_URI],
          outbound: { proxy: proxyOption as string },
        });
      expect(resolve).toThrow(NotionConfigError);
      expect(resolve).toThrow(
        /outbound\.proxy \(NOTION_AUTH_PROXY\): must be the URL of an http or https proxy/,
      );
      expect(resolve).not.toThrow(/example/);
    },
  );
});

describe('outbound.proxy with a dispatcher', () => {
  it('takes every request of the module', async () => {
    const dispatcher = new ProxyAgent({ uri: withCredentials() });
    proxy.authorization = CREDENTIALS;
    const { app, authorization } = await startApp({ proxy: dispatcher });
    await useAll(app, authorization);
    expect(inspect(app.options, { depth: 9 })).toBeDefined();
    expect(proxy.targets.length).toBeGreaterThanOrEqual(3);
    await dispatcher.close();
  });

  it('knows a request that was not sent from one whose response was lost', async () => {
    const notion = await BadNotion.start();
    const dispatcher = new Agent();
    const { app, authorization } = await startApp({ proxy: dispatcher }, { apiBaseUrl: notion.url });
    notion.behaviour = (response) => response.destroy();
    expect(await refresh(app, authorization)).toMatchObject({ kind: 'unknown' });
    const other = await app.keep(simulator.grant());
    await notion.close();
    expect(await refresh(app, other)).toMatchObject({ kind: 'not_sent', failure: { code: 'ECONNREFUSED' } });
    await dispatcher.close();
  });

  it('sends no revocation that is not wanted any more when the connection stands', async () => {
    const notion = await BadNotion.start();
    const dispatcher = new Agent();
    const config = resolveConfig({
      clientId: 'crm-integration',
      clientSecret: 'secret_of_the_integration',
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: notion.url,
      outbound: { proxy: dispatcher },
    });
    const clock = new SystemClock();
    const transport = new OAuthTransport(clock, new UpstreamConnector(config, clock));
    const oauth = new NotionOAuthClient(config, transport, clock, new ClientSecrets(config));
    let connections = -1;
    const isStillWanted = () => {
      connections = notion.connections.length;
      return Promise.resolve(false);
    };
    expect(await oauth.revoke(new Secret('nrt_a'), isStillWanted)).toBe(false);
    expect(connections).toBeGreaterThanOrEqual(0);
    expect(notion.requests).toEqual([]);
    await dispatcher.close();
    await notion.close();
  });

  it('G16: sends no token to another origin, also when the dispatcher follows redirects', async () => {
    const foreign = await ForeignServer.start();
    const notion = await BadNotion.start();
    notion.behaviour = (response) => response.writeHead(307, { location: foreign.url }).end();
    const dispatcher = new Agent().compose(interceptors.redirect({ maxRedirections: 5 }));
    const { app, authorization } = await startApp({ proxy: dispatcher }, { apiBaseUrl: notion.url });
    expect((await callMe(app, authorization)).status).toBe(307);
    await refresh(app, authorization);
    expect(notion.requests).toHaveLength(2);
    expect(foreign.connections).toBe(0);
    await dispatcher.close();
    await notion.close();
    await foreign.close();
  });
});
