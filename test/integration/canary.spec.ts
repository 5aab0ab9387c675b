import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import {
  createOwnDataSource,
  NotionAuthModule,
  NotionCallbackGuard,
  NotionClientFactory,
  NotionConnectFilter,
  NotionConnectService,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionScope,
  NotionTokenService,
  notionAuthConfig,
  ownDataSourceOptions,
  Secret,
  type NotionAuthOptions,
} from 'nestjs-notion-auth';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { CallbackVerifier } from '../../src/connect/callback.verifier.js';
import { NOTION_AUTH_CONFIG } from '../../src/config/notion-auth.options.js';
import { NOTION_AUTH_WIRING } from '../../src/config/notion-auth.wiring.js';
import { AttemptStatistics } from '../../src/domain/attempt-statistics.js';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';
import { ConnectStateStore } from '../../src/domain/connect-state-store.js';
import { NotionOAuth } from '../../src/domain/notion-oauth.js';
import { TokenCipher } from '../../src/domain/token-cipher.js';
import { MODULE_OPTIONS_TOKEN } from '../../src/notion-auth.module-definition.js';
import { AuthorizedCalls } from '../../src/outbound/authorized-calls.js';
import { NotionHttpPool } from '../../src/outbound/notion-http.pool.js';
import { AccessTokenCache } from '../../src/refresh/access-token.cache.js';
import { PairCustody } from '../../src/refresh/pair.custody.js';
import { AuthorizationEntity } from '../../src/storage/authorization.entity.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { OAuthStateEntity } from '../../src/storage/oauth-state.entity.js';
import { RefreshAttemptEntity } from '../../src/storage/refresh-attempt.entity.js';
import {
  appModule,
  CanaryApp,
  plainOptions,
  sessionUser,
  type CanaryStage,
  type KeptGrant,
} from '../support/canary.app.js';
import { CanaryBrowser } from '../support/canary.browser.js';
import { API_FAULTS, tokenFaults } from '../support/canary.faults.js';
import { CanaryScanner } from '../support/canary.scanner.js';
import { Exposure } from '../support/exposure.js';

/** What an application can inject, print or serialize. */
const PARTS = [
  NOTION_AUTH_CONFIG,
  NOTION_AUTH_WIRING,
  MODULE_OPTIONS_TOKEN,
  NotionTokenService,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionConnectService,
  NotionClientFactory,
  NotionScope,
  NotionAuthHealthIndicator,
  AuthorizationStore,
  ConnectStateStore,
  AttemptStatistics,
  TokenCipher,
  NotionOAuth,
  AccessTokenCache,
  AuthorizedCalls,
  NotionHttpPool,
  CallbackVerifier,
  NotionDatabase,
] as const;

const scanner = new CanaryScanner();
const exposure = new Exposure();
const key = randomBytes(32);
const comingSecret = scanner.plant('coming client secret');
const databasePassword = scanner.plant('database password');
/** What a confused server or a proxy may repeat of what it was sent. */
const echo = scanner.plant('echoed token');

const TOKEN_FAULTS = tokenFaults(echo);

let stage: CanaryStage;
let app: CanaryApp;
let users = 0;

beforeAll(async () => {
  exposure.takeOverOutput();
  scanner.watch('encryption key', key);
  scanner.watch('encryption key', key.toString('base64'));
  const simulator = await NotionSimulator.start({
    clientSecret: scanner.plant('client secret'),
    tokenFactory: (kind) => scanner.plant(kind === 'code' ? kind : `${kind} token`),
  });
  stage = { simulator, scanner, exposure };
  app = await start(appModule);
}, 60_000);

afterAll(async () => {
  await app.close();
  await stage.simulator.close();
  exposure.giveOutputBack();
});

function options(folder: string): NotionAuthOptions {
  return plainOptions(stage, folder, key.toString('base64'), comingSecret);
}

function start(toModule: (options: NotionAuthOptions) => ReturnType<typeof appModule>, folder?: string) {
  return CanaryApp.start(stage, (path) => toModule(options(path)), folder);
}

/** Takes one way through the library and shows what comes of it, a result or an error. */
async function take(path: string, work: () => unknown): Promise<unknown> {
  try {
    const result = await work();
    exposure.object(path, result);
    return result;
  } catch (error) {
    exposure.error(path, error);
    return error;
  } finally {
    exposure.path(path);
    stage.simulator.clearFaults();
  }
}

function newBrowser(): CanaryBrowser {
  users += 1;
  return new CanaryBrowser(stage, app, `owner-${users}`);
}

function allow(authorizeUrl: string): string {
  const { pathname, search } = new URL(stage.simulator.allow(authorizeUrl, { person: newPerson() }));
  return pathname + search;
}

/** Somebody whom Notion does not know yet. */
function newPerson(): string {
  return stage.simulator.grant().ownerUserId!;
}

async function connect(path: string, finish: (authorizeUrl: string, by: CanaryBrowser) => Promise<unknown>) {
  const browser = newBrowser();
  await take(`connect: ${path}`, async () => finish(await browser.start('?returnTo=/settings'), browser));
  return browser;
}

/** What one path did to the whole client must not hold back the next. */
async function openGates(): Promise<void> {
  await sql('UPDATE notion_refresh_gate SET closed_until = NULL, closed_since = NULL');
}

async function keep(): Promise<KeptGrant> {
  users += 1;
  await openGates();
  return app.keep(`owner-${users}`);
}

const get = <T>(part: Type<T> | (abstract new (...args: never[]) => T)): T => app.nest.get(part);

function refresh({ authorization }: KeptGrant) {
  return get(NotionRefreshService).refresh(authorization.id, { trigger: 'manual' });
}

function sql(statement: string): Promise<unknown> {
  return get(NotionDatabase).dataSource.query(statement);
}

/** How every part prints that an application can reach. */
function showParts(where: string, { nest } = app): void {
  const part = (token: unknown) => nest.get<unknown>(token as Type, { strict: false });
  for (const token of PARTS) exposure.object(where, part(token));
  exposure.object(where, new NotionCallbackGuard(nest.get(CallbackVerifier, { strict: false })));
}

describe('D10, D11, E10, E12, G13: driving every path, at every level of the log', () => {
  beforeEach(openGates);

  it('connects', async () => {
    const statuses: Record<string, number> = {};
    const note = (name: string) => async (authorizeUrl: string, by: CanaryBrowser) => {
      statuses[name] = (await by.get(allow(authorizeUrl))).status;
    };
    const happy = await connect('success', note('success'));
    await take('interceptor: success', () => happy.get('/who'));
    await connect('denied', async (url, by) => {
      const { pathname, search } = new URL(stage.simulator.deny(url));
      statuses['denied'] = (await by.get(`${pathname}${search}&error_description=${echo}`)).status;
    });
    await connect('replayed', async (url, by) => {
      const callback = allow(url);
      await by.get(callback);
      statuses['replayed'] = (await by.get(callback)).status;
    });
    await connect('expired', async (url, by) => {
      await sql('UPDATE notion_oauth_state SET expires_at = expires_at - 601000');
      await note('expired')(url, by);
    });
    await connect('wrong browser', async (url) => {
      const other = newBrowser();
      await other.start();
      await note('wrong browser')(url, other);
    });
    await connect('no cookie', async (url, by) => {
      by.forgetCookie();
      await note('no cookie')(url, by);
    });
    await connect('wrong owner', async (url, by) => {
      statuses['wrong owner'] = (await by.get(allow(url), { 'x-session-user': 'somebody-else' })).status;
    });
    await connect('doubled parameters', async (url, by) => {
      statuses['doubled'] = (await by.get(`${allow(url)}&code=${echo}`)).status;
    });
    await connect('as JSON', async (url, by) => {
      const callback = allow(url);
      await by.get(callback, { accept: 'application/json', 'x-session-user': '' });
      statuses['as JSON'] = (
        await by.get(`${callback}&iss=https://evil.example`, { accept: 'application/json' })
      ).status;
    });
    await connect('without a refresh token', async (url, by) => {
      stage.simulator.configure({ refreshTokens: 'null' });
      await note('no refresh token')(url, by);
      stage.simulator.reset();
    });
    expect(statuses).toEqual({
      success: 303,
      denied: 303,
      replayed: 303,
      expired: 400,
      'wrong browser': 400,
      'no cookie': 400,
      'wrong owner': 403,
      doubled: 400,
      'as JSON': 400,
      'no refresh token': 303,
    });
  });

  it('fails to exchange the code in every way', async () => {
    for (const [name, fault] of TOKEN_FAULTS) {
      await connect(`exchange, ${name}`, async (url, by) => {
        stage.simulator.fail('exchange', fault);
        const { status } = await by.get(allow(url));
        expect([name, status >= 400]).toEqual([name, true]);
      });
    }
  }, 60_000);

  it('calls Notion through the SDK and fetch, with a live token and with a dead one', async () => {
    const { granted, authorization } = await keep();
    const logged: unknown[] = [];
    const client = get(NotionClientFactory).forAuthorization(authorization.id, {
      retry: false,
      logLevel: 'debug' as never,
      logger: (...entry) => {
        logged.push(entry);
      },
    });
    const fetchIt = get(NotionClientFactory).fetchFor(authorization.id);
    await take('SDK: success', () => client.users.me({}));
    await take('SDK: search', () => client.search({ query: 'x' }));
    await take('fetch: success', () => fetchIt('/v1/users/me'));
    stage.simulator.expireAccessToken(granted.botId);
    await take('SDK: dead token renewed', () => client.users.me({}));
    for (const [name, fault] of API_FAULTS) {
      stage.simulator.fail('api', fault);
      await take(`SDK: ${name}`, () => client.users.me({}));
      stage.simulator.fail('api', fault);
      await take(`fetch: ${name}`, () => fetchIt('/v1/users/me'));
    }
    await take('fetch: foreign origin', () => fetchIt('https://evil.example/v1/users/me'));
    await take('fetch: unsendable header', () =>
      fetchIt('/v1/users/me', { headers: { authorization: `Bearer ${echo}\r\nx: y` } }),
    );
    stage.simulator.expireAccessToken(granted.botId);
    await take('fetch: stream on a dead token', () =>
      fetchIt('/v1/search', {
        method: 'POST',
        body: new Blob(['{}']).stream(),
        duplex: 'half',
      }),
    );
    exposure.object('SDK client', client);
    exposure.object('SDK log', logged);
    expect(logged.length).toBeGreaterThan(5);
  }, 60_000);

  it('shows its parts while tokens are on the wire', async () => {
    const { granted, authorization } = await keep();
    const client = get(NotionClientFactory).forAuthorization(authorization.id);
    stage.simulator.expireAccessToken(granted.botId);
    stage.simulator.configure({ delayMs: { api: 500, token: 400 } });
    const { ledger } = stage.simulator;
    const mark = ledger.mark();
    const calls = Promise.all(Array.from({ length: 5 }, () => client.users.me({})));
    while (ledger.since(mark).requests().length === 0) await sleep(5);
    showParts('calls on the wire');
    while (ledger.since(mark).tokenRequests() === 0) await sleep(5);
    showParts('a refresh on the wire');
    await take('SDK: several at once', () => calls);
    stage.simulator.reset();
  }, 60_000);

  it('refreshes, and fails to in every way', async () => {
    const kinds = new Set<unknown>();
    await take('refresh: success', async () => refresh(await keep()));
    for (const [name, fault] of TOKEN_FAULTS) {
      const kept = await keep();
      stage.simulator.fail('refresh', fault);
      const outcome = await take(`refresh: ${name}`, () => refresh(kept));
      kinds.add((outcome as { kind: string }).kind);
      const rejected = await get(NotionTokenService)
        .getAccessToken(kept.authorization.id)
        .catch(() => undefined);
      await take(`token: after ${name}`, () =>
        get(NotionTokenService).getAccessToken(kept.authorization.id, { rejected }),
      );
    }
    expect([...kinds].sort()).toEqual(['configuration', 'needs_reconnect', 'not_processed', 'unknown']);
    const kept = await keep();
    for (const fields of [{ refresh_token: null }, { expires_in: 3600 }]) {
      stage.simulator.fail('refresh', { kind: 'override', fields });
      await take(`refresh: ${Object.keys(fields).join()} given`, () => refresh(kept));
    }
  }, 90_000);

  it('is renewed with the coming client secret', async () => {
    const { simulator } = stage;
    const first = simulator.clientSecret;
    simulator.rotateClientSecret(comingSecret);
    const outcome = await take('refresh: coming secret', async () => refresh(await keep()));
    simulator.rotateClientSecret(first);
    expect(outcome).toMatchObject({ kind: 'renewed' });
  });

  it('waits while another process sends, and gives up', async () => {
    const kept = await keep();
    const { version } = kept.authorization;
    const claim = {
      authorizationId: kept.authorization.id,
      trigger: 'manual',
      seenVersion: version,
    } as const;
    const held = await take('claim', () => get(AuthorizationStore).claim({ ...claim, leaseMs: 60_000 }));
    expect(held).toMatchObject({ kind: 'claimed' });
    const rejected = await get(NotionTokenService).getAccessToken(kept.authorization.id);
    const error = await take('token: busy', () =>
      get(NotionTokenService).getAccessToken(kept.authorization.id, { rejected }),
    );
    expect(error).toMatchObject({ code: 'notion_refresh_busy' });
  });

  it('loses grants, disconnects and answers through the exception filter', async () => {
    const browser = await connect('to be revoked', async (url, by) => by.get(allow(url)));
    const [revoked] = await get(NotionConnectService).list(browser.user);
    stage.simulator.revokeGrant(revoked!.botId);
    const answers = [await browser.get('/who'), await browser.get('/who')];
    expect(answers.map(({ status }) => status)).toEqual([409, 409]);
    exposure.path('interceptor: needs reconnect');
    await take('interceptor: nobody', () => browser.get('/who', { 'x-session-user': '' }));
    const failing = await connect('to be refreshed in vain', async (url, by) => by.get(allow(url)));
    const [grant] = await get(NotionConnectService).list(failing.user);
    stage.simulator.expireAccessToken(grant!.botId);
    stage.simulator.fail('refresh', { kind: 'status', status: 500 });
    await take('interceptor: refresh failed', () => failing.get('/who'));
    const disconnect = async (path: string) => {
      const { authorization } = await keep();
      const result = await take(path, () =>
        get(NotionConnectService).disconnect(authorization.id, `owner-${users}`),
      );
      await take(`token: after ${path}`, () => get(NotionTokenService).getAccessToken(authorization.id));
      return result;
    };
    expect(await disconnect('disconnect: revoked')).toBe('revoked');
    stage.simulator.fail('revoke', { kind: 'status', status: 400, body: { message: echo } });
    expect(await disconnect('disconnect: revoke pending')).toBe('revoke_pending');
    await take('disconnect: unknown id', () => get(NotionConnectService).disconnect(echo, 'owner-1'));
  });

  it('sweeps and reports its health', async () => {
    const browser = newBrowser();
    for (const path of ['/health/ready', '/health/notion']) {
      expect((await browser.get(path)).status).toBe(200);
      exposure.path(path);
    }
    await keep();
    await sleep(20);
    const report = await take('sweep', () => get(NotionRefreshSweep).run({ maxTokenAgeMs: 1 }));
    expect(report).toMatchObject({ renewed: expect.any(Number) });
    expect((report as { renewed: number }).renewed).toBeGreaterThan(0);
    for (const entity of [AuthorizationEntity, OAuthStateEntity, RefreshAttemptEntity]) {
      await take(`entity: ${entity.name}`, () => get(NotionDatabase).dataSource.getRepository(entity).find());
    }
    await take('entity: sealed columns', () => sql('SELECT * FROM notion_authorization'));
  }, 60_000);

  it('meets secrets that no key opens', async () => {
    const [mine, theirs] = [await keep(), await keep()];
    await sql(
      `UPDATE notion_authorization SET sealed_access_token = (SELECT sealed_access_token FROM notion_authorization WHERE id = '${theirs.authorization.id}'), sealed_refresh_token = (SELECT sealed_refresh_token FROM notion_authorization WHERE id = '${theirs.authorization.id}') WHERE id = '${mine.authorization.id}'`,
    );
    const id = mine.authorization.id;
    expect(await take('key: swapped rows', () => get(NotionTokenService).getAccessToken(id))).toMatchObject({
      failure: 'decrypt_failed',
    });
    await take('key: swapped rows, refresh', () => refresh(mine));
    const anotherKey = (given: NotionAuthOptions) =>
      appModule({
        ...given,
        encryptionKeys: [{ id: 'k2', key: randomBytes(32).toString('base64') }],
        allowMissingKeys: true,
      });
    const stranger = await start(anotherKey, app.folder);
    expect(
      await take('key: unknown id', () => stranger.nest.get(NotionTokenService).getAccessToken(id)),
    ).toMatchObject({ failure: 'unknown_key_id' });
    await stranger.nest.close();
  });

  it('meets a store that fails', async () => {
    const browser = await connect('before the store fails', async (url, by) => by.get(allow(url)));
    const kept = await keep();
    await sql('PRAGMA query_only = ON');
    expect((await browser.get('/notion/connect')).status).toBe(503);
    expect(await take('store: read-only, refresh', () => refresh(kept))).toBeInstanceOf(Error);
    await sql('PRAGMA query_only = OFF');
    stage.simulator.configure({ delayMs: { token: 400 } });
    const { ledger } = stage.simulator;
    const mark = ledger.mark();
    const storing = refresh(kept);
    while (ledger.since(mark).tokenRequests() === 0) await sleep(5);
    await sql('PRAGMA query_only = ON');
    while (get(PairCustody).pendingCount === 0) await sleep(5);
    showParts('a pair that cannot be stored yet');
    await sql('PRAGMA query_only = OFF');
    expect(await take('store: read-only while the pair arrives', () => storing)).toMatchObject({
      kind: 'renewed',
    });
    stage.simulator.reset();
    await sql('ALTER TABLE notion_authorization RENAME TO away');
    await take('store: no table, token', () => get(NotionTokenService).getAccessToken(kept.granted.botId));
    await take('store: no table, refresh', () => refresh(kept));
    await take('store: no table, interceptor', () => browser.get('/who'));
    await take('store: no table, callback', async () => {
      const other = newBrowser();
      return other.get(allow(await other.start()));
    });
    await sql('ALTER TABLE away RENAME TO notion_authorization');
    const folder = mkdtempSync(join(tmpdir(), 'notion-canary-'));
    mkdirSync(join(folder, 'notion-auth.sqlite'));
    await take('store: cannot be opened', () => start(appModule, folder));
    const garbage = mkdtempSync(join(tmpdir(), 'notion-canary-'));
    writeFileSync(join(garbage, 'notion-auth.sqlite'), 'no database '.repeat(500));
    await take('store: no database', () => start(appModule, garbage));
  }, 60_000);

  it('refuses configurations', async () => {
    const secret = scanner.plant('wrong secret');
    const attempts: Record<string, (given: NotionAuthOptions) => unknown> = {
      'a key of 31 bytes': (given) => ({
        ...given,
        encryptionKeys: [{ id: 'k', key: key.subarray(1).toString('base64') }],
      }),
      'a key in the place of its id': (given) => ({
        ...given,
        encryptionKeys: [{ id: key.toString('base64'), key: 'k1' }],
      }),
      'keys as one text': (given) => ({ ...given, encryptionKeys: `k1:${key.toString('base64')}` }),
      'keys as texts': (given) => ({ ...given, encryptionKeys: [`k1:${key.toString('base64')}`] }),
      'the same key twice': (given) => ({
        ...given,
        encryptionKeys: ['a', 'b'].map((id) => ({ id, key: key.toString('base64') })),
      }),
      'a secret with a line break': (given) => ({ ...given, clientSecret: `${secret}\n` }),
      'a secret that is the id': (given) => ({ ...given, clientId: secret, clientSecret: secret }),
      'a database of another kind': (given) => ({
        ...given,
        databaseUrl: `mongodb://user:${databasePassword}@db.example/notion`,
      }),
      'a password in the API address': (given) => ({
        ...given,
        apiBaseUrl: `https://user:${secret}@api.notion.com`,
      }),
      'a password in the redirect URI': (given) => ({
        ...given,
        redirectUris: [`https://user:${secret}@app.example/notion/callback`],
      }),
      'a redirect URI that is not mounted': (given) => ({
        ...given,
        redirectUris: ['https://app.example/elsewhere'],
      }),
    };
    for (const [name, change] of Object.entries(attempts)) {
      const error = await take(`config: ${name}`, () =>
        start((given) => appModule(change(given) as NotionAuthOptions)),
      );
      expect([name, error]).toEqual([name, expect.objectContaining({ code: 'notion_config_invalid' })]);
    }
  }, 60_000);

  it('is configured in every way', async () => {
    showParts('forRoot');
    exposure.object('application, with all that Nest keeps of it', app.nest);
    const inFactory = await start((given) =>
      NotionAuthModule.forRootAsync({ useFactory: () => given, resolveOwner: sessionUser }),
    );
    showParts('forRootAsync', inFactory);
    exposure.object('dynamic module', NotionAuthModule.forRoot(options('/nowhere')));
    await inFactory.close();
    exposure.path('config: forRootAsync');

    const before = { ...process.env };
    Object.assign(process.env, {
      NOTION_CLIENT_ID: stage.simulator.clientId,
      NOTION_CLIENT_SECRET: stage.simulator.clientSecret,
      NOTION_CLIENT_SECRET_NEXT: comingSecret,
      NOTION_REDIRECT_URIS: 'https://app.example/notion/callback',
      NOTION_AUTH_ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
      NOTION_API_BASE_URL: stage.simulator.url,
    });
    try {
      exposure.object('environment options', notionAuthConfig());
      const fromEnvironment = await CanaryApp.start(stage, (folder) =>
        NotionAuthModule.forRootAsync({
          imports: notionAuthConfig.asProvider().imports,
          inject: [notionAuthConfig.KEY],
          useFactory: (given: NotionAuthOptions) => ({
            ...given,
            databaseFile: join(folder, 'notion-auth.sqlite'),
          }),
          resolveOwner: sessionUser,
        }),
      );
      showParts('environment', fromEnvironment);
      await fromEnvironment.close();
      exposure.path('config: environment');
    } finally {
      for (const name of Object.keys(process.env))
        if (!(name in before)) Reflect.deleteProperty(process.env, name);
    }
  }, 60_000);

  it('connects to a database server that is not there', async () => {
    const databaseUrl = new Secret(
      `postgres://user:${encodeURIComponent(databasePassword)}@127.0.0.1:9/notion?sslmode=disable`,
    );
    const chosen = ownDataSourceOptions({ databaseUrl, databaseFile: '' });
    exposure.object('data source options', chosen);
    exposure.object('spread data source options', { ...chosen, name: 'x' });
    const dataSource = await createOwnDataSource(chosen);
    exposure.object('data source', dataSource);
    exposure.object('database', new NotionDatabase(dataSource));
    const error = await take('store: no server', () => dataSource.initialize());
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    exposure.object('data source after failing', dataSource);
  });

  it('ends', async () => {
    app.showFiles();
    const kept = await keep();
    stage.simulator.configure({ delayMs: { token: 300 } });
    const { ledger } = stage.simulator;
    const mark = ledger.mark();
    const last = refresh(kept);
    while (ledger.since(mark).tokenRequests() === 0) await sleep(5);
    await take('shutdown', () => app.nest.close());
    expect(await take('refresh: while ending', () => last)).toMatchObject({ kind: 'renewed' });
    await take('token: after the end', () => get(NotionTokenService).getAccessToken(kept.granted.botId));
    app.showFiles();
    exposure.object('connect filter', NotionConnectFilter);
  });
});

describe('D10, D11, E10, E12, G13: what was seen of it', () => {
  it('is a lot', () => {
    expect(exposure.pathCount).toBeGreaterThanOrEqual(170);
    expect(exposure.byteCount).toBeGreaterThan(20_000_000);
    expect(exposure.places).toEqual(
      expect.arrayContaining([
        'log',
        'HTTP answer',
        'statement',
        'failed statement',
        'file notion-auth.sqlite',
        'calls on the wire',
        'application, with all that Nest keeps of it',
      ]),
    );
    expect(scanner.kinds).toEqual([
      'access token',
      'browser cookie',
      'client secret',
      'code',
      'coming client secret',
      'database password',
      'echoed token',
      'encryption key',
      'refresh token',
      'state',
      'wrong secret',
    ]);
  });

  it('holds no token, secret, code or state', () => {
    expect(exposure.hits(scanner)).toEqual([]);
  }, 120_000);

  it.each(['utf8', 'base64', 'base64url', 'hex', 'percent', 'buffer', 'basic'])(
    'would have been found out, had a secret been in it as %s',
    (encoding) => {
      const planted = new Exposure();
      const canary = scanner.plant('client secret');
      planted.object('log', shownAs(canary, encoding));
      expect(planted.hits(scanner)).toContainEqual(
        expect.objectContaining({ kind: 'client secret', where: expect.stringContaining('log') }),
      );
    },
  );
});

function shownAs(secret: string, encoding: string): unknown {
  if (encoding === 'percent') return new Error(encodeURIComponent(secret));
  if (encoding === 'buffer') return { deep: { down: Buffer.from(secret).subarray(0, 45) } };
  if (encoding === 'basic') return Buffer.from(`client:${secret}`).toString('base64');
  return { [Buffer.from(secret).toString(encoding as BufferEncoding)]: true };
}
