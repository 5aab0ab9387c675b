import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseGuards, type INestApplication, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, NotionCallbackGuard, NotionConfigError } from 'nestjs-notion-auth';
import { join } from 'node:path';
import { temporaryFolder } from '../support/storage.harness.js';

/** Callbacks at the places that the redirect URIs below name. */
@Controller()
class CallbackController {
  @Get(['cb', 'notion/callback'])
  @UseGuards(NotionCallbackGuard)
  callback(): string {
    return 'back';
  }
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let started: INestApplication | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await started?.close();
  started = undefined;
});

afterAll(() => folder.remove());

/** Starts an application with these redirect URIs; answers what it warned of. */
async function start(...redirectUris: string[]): Promise<string> {
  const warnings: string[] = [];
  const silent = () => undefined;
  const logger: LoggerService = {
    log: silent,
    error: silent,
    warn: (text) => void warnings.push(String(text)),
  };
  const testing = await Test.createTestingModule({
    imports: [
      NotionAuthModule.forRoot({
        clientId: 'b7a0c1f2-client',
        clientSecret: 'secret_9fJq2LwXz7RtYb4Nc8Kd',
        redirectUris,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        databaseFile: join(folder.path, `${randomBytes(6).toString('hex')}.sqlite`),
        routes: false,
      }),
    ],
    controllers: [CallbackController],
  })
    .setLogger(logger)
    .compile();
  started = testing.createNestApplication({ logger });
  await started.listen(0, '127.0.0.1');
  return warnings.join('\n');
}

async function refusalOf(...redirectUris: string[]): Promise<NotionConfigError> {
  const error: unknown = await start(...redirectUris).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NotionConfigError);
  return error as NotionConfigError;
}

describe('C2: an application', () => {
  it.each(['https://app.example/notion/callback', 'https://app.example/cb', 'https://localhost:3000/cb'])(
    'starts with the redirect URI %s, without a word about it',
    async (uri) => {
      expect(await start(uri)).not.toContain('redirectUris');
    },
  );

  it.each([
    ['http://localhost:3000/cb', 'for development only'],
    ['https://app.example/cb/', 'its path /cb/ ends with a slash, the route /cb does not'],
    ['https://app.example/cb?env=1', 'its query is part of what Notion compares'],
    ['http://127.0.0.1:3000/cb', 'Notion is reported to refuse loopback addresses'],
    ['http://[::1]:3000/cb', 'Notion is reported to refuse loopback addresses'],
  ])('starts with %s and a warning: %s', async (uri, warning) => {
    expect(await start(uri)).toContain(warning);
  });

  it.each([
    ['https://APP.example/cb', 'host', 'use https://app.example/cb'],
    ['https://app.example:443/cb', 'default port', 'use https://app.example/cb'],
    ['http://localhost:80/cb', 'default port', 'use http://localhost/cb'],
    ['https://app.example', 'has no path', 'either https://app.example/ or'],
    ['https://app.example/a/../cb', 'dot segment', ''],
    ['https://app.example/a/./cb', 'dot segment', ''],
    ['https://app.example/a/%2e%2e/cb', 'dot segment', ''],
    ['https://app.example//cb', 'empty segment', ''],
    ['https://app.example/cb#x', 'fragment', ''],
    ['https://user:pw-canary@app.example/cb', 'user name or password', ''],
    ['https://*.app.example/cb', 'wildcard', ''],
    ['https://app.example/cb*', 'wildcard', ''],
    ['http://app.example/cb', 'http outside loopback', 'use https'],
    ['https://bücher.example/cb', 'ASCII', 'use https://xn--bcher-kva.example/cb'],
    ['https://аpple.example/cb', 'different scripts', ''],
    ['HTTPS://app.example/cb', 'scheme', 'use https://app.example/cb'],
    ['/cb', 'not an absolute https URL', ''],
    ['app.example/cb', 'not an absolute https URL', ''],
    ['javascript:alert(1)', 'not an absolute https URL', ''],
    ['com.app:/cb', 'not an absolute https URL', ''],
    [' https://app.example/cb\n', 'whitespace', ''],
    [`https://app.example/${'c'.repeat(2_000)}`, 'longer than 2000', ''],
  ])('does not start with %j: %s', async (uri, rule, suggestion) => {
    const error = await refusalOf(uri);
    expect(error.code).toBe('notion_config_invalid');
    expect(error.message).toContain('redirectUris (NOTION_REDIRECT_URIS): entry 1: ');
    expect(error.message).toContain(rule);
    expect(error.message).toContain(suggestion);
    expect(error.message).not.toContain('canary');
  });

  it('does not start with two equal entries', async () => {
    const { message } = await refusalOf('https://app.example/cb', 'https://app.example/cb');
    expect(message).toContain('entries 1 and 2 are equal');
  });

  it('C6: does not start with another letter case than that of its route, and shows both', async () => {
    const { message } = await refusalOf('https://app.example/CB');
    expect(message).toContain('/CB');
    expect(message).toContain('/cb');
  });

  it.each(['http://localhost:3000/cb', 'https://localhost/cb', 'http://app.example/cb'])(
    'C7: does not start in production with %s',
    async (uri) => {
      const before = process.env['NODE_ENV'];
      process.env['NODE_ENV'] = 'production';
      try {
        expect((await refusalOf(uri)).code).toBe('notion_config_invalid');
      } finally {
        process.env['NODE_ENV'] = before;
      }
    },
  );
});
