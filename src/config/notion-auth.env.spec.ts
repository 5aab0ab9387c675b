import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import fc from 'fast-check';
import { NotionConfigError } from '../domain/errors.js';
import { notionAuthConfig, optionsFromEnvironment } from './notion-auth.env.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig, type GatheredOptions } from './notion-auth.options.js';
import { resolveConfig } from './resolve-config.js';

const CANARY = 'canary-value-that-is-nowhere-else';
const KEY = randomBytes(32).toString('base64');
const COMPLETE = {
  NOTION_CLIENT_ID: 'client-1',
  NOTION_CLIENT_SECRET: CANARY,
  NOTION_REDIRECT_URIS: 'https://app.example/notion/callback,https://app.example/other',
  NOTION_AUTH_ENCRYPTION_KEYS: `k1:${KEY}`,
};

type Environment = Record<string, string | undefined>;

function resolve(environment: Environment): NotionAuthConfig {
  return resolveConfig(optionsFromEnvironment(environment), environment);
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    resolve(environment);
  } catch (error) {
    if (error instanceof NotionConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('options from the environment', () => {
  let folder: string;
  const fileWith = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'notion-auth-env-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('become a checked configuration', () => {
    const config = resolve({
      ...COMPLETE,
      NOTION_CLIENT_SECRET_NEXT: 'the-next-one',
      NOTION_API_BASE_URL: 'http://127.0.0.1:4000',
      NOTION_ISSUER: 'https://www.notion.so',
      NOTION_AUTH_PUBLIC_BASE_PATH: '/api, /',
      NOTION_VERSION: '2025-09-03',
      NOTION_AUTH_DATABASE_URL: `postgres://app:${CANARY}@db/app`,
    });
    expect(config.clientSecret.reveal()).toBe(CANARY);
    expect(config.clientSecretNext?.reveal()).toBe('the-next-one');
    expect(config.redirectUris).toEqual(['https://app.example/notion/callback', 'https://app.example/other']);
    expect(config.encryptionKeys.map(({ id }) => id)).toEqual(['k1']);
    expect(config.apiBaseUrl).toBe('http://127.0.0.1:4000');
    expect(config.issuer).toBe('https://www.notion.so');
    expect(config.publicBasePaths).toEqual(['/api', '']);
    expect(config.notionVersion).toBe('2025-09-03');
    expect(config.databaseUrl?.reveal()).toBe(`postgres://app:${CANARY}@db/app`);
  });

  it('take several keys, the first of which seals', () => {
    const other = randomBytes(32).toString('base64url');
    const { encryptionKeys } = resolve({
      ...COMPLETE,
      NOTION_AUTH_ENCRYPTION_KEYS: `k2:${other}, k1:${KEY}`,
    });
    expect(encryptionKeys.map(({ id }) => id)).toEqual(['k2', 'k1']);
  });

  it('come from files, without the newline at the end', () => {
    const config = resolve({
      NOTION_CLIENT_ID_FILE: fileWith('id', 'client-1\n'),
      NOTION_CLIENT_SECRET: '',
      NOTION_CLIENT_SECRET_FILE: fileWith('secret', `${CANARY}ü\r\n`),
      NOTION_REDIRECT_URIS_FILE: fileWith('uris', COMPLETE.NOTION_REDIRECT_URIS),
      NOTION_AUTH_ENCRYPTION_KEYS_FILE: fileWith('keys', `k1:${KEY}\n`),
    });
    expect(config.clientId).toBe('client-1');
    expect(config.clientSecret.reveal()).toBe(`${CANARY}ü`);
    expect(config.redirectUris).toHaveLength(2);
  });

  it('lose one newline of a file and no more', () => {
    const environment = {
      ...COMPLETE,
      NOTION_CLIENT_SECRET: undefined,
      NOTION_CLIENT_SECRET_FILE: fileWith('two', `${CANARY}\n\n`),
    };
    expect(problemsOf(environment)).toEqual([
      'clientSecret (NOTION_CLIENT_SECRET): begins or ends with whitespace',
    ]);
  });

  it.each<[string, () => Environment, string]>([
    [
      'both a variable and a file',
      () => ({ NOTION_CLIENT_SECRET_FILE: fileWith('s', CANARY) }),
      'both NOTION_CLIENT_SECRET and NOTION_CLIENT_SECRET_FILE are set',
    ],
    [
      'a missing file',
      () => ({ NOTION_CLIENT_SECRET: '', NOTION_CLIENT_SECRET_FILE: `/${CANARY}` }),
      'NOTION_CLIENT_SECRET_FILE names cannot be read (ENOENT)',
    ],
    [
      'a folder',
      () => ({ NOTION_CLIENT_SECRET: '', NOTION_CLIENT_SECRET_FILE: folder }),
      'NOTION_CLIENT_SECRET_FILE names cannot be read (EISDIR)',
    ],
    [
      'an empty file',
      () => ({ NOTION_CLIENT_SECRET: '', NOTION_CLIENT_SECRET_FILE: fileWith('e', '\n') }),
      'NOTION_CLIENT_SECRET_FILE names is empty',
    ],
    [
      'a file that is no text',
      () => ({
        NOTION_CLIENT_SECRET: '',
        NOTION_CLIENT_SECRET_FILE: fileWith('b', Buffer.from([0xff, 0xfe])),
      }),
      'NOTION_CLIENT_SECRET_FILE names cannot be read',
    ],
  ])('name %s as the one problem, without content or file name', (_, difference, rule) => {
    const problems = problemsOf({ ...COMPLETE, ...difference() });
    expect(problems).toEqual([expect.stringMatching(/^clientSecret \(NOTION_CLIENT_SECRET\): /)]);
    expect(problems[0]).toContain(rule);
    expect(problems[0]).not.toContain(CANARY);
  });

  it('report what the loader found together with what the rules found', () => {
    const problems = problemsOf({
      NODE_ENV: 'production',
      NOTION_CLIENT_SECRET_FILE: '/nowhere',
      NOTION_REDIRECT_URIS: ' http://app.example/cb,',
      NOTION_AUTH_ENCRYPTION_KEYS: `${KEY},k2:short`,
      NOTION_AUTH_DATABASE_URL: `sqlite://${CANARY}`,
    });
    expect(problems).toEqual([
      expect.stringMatching(/^clientSecret \(NOTION_CLIENT_SECRET\): .* \(ENOENT\)$/),
      'clientId (NOTION_CLIENT_ID): is empty',
      'redirectUris (NOTION_REDIRECT_URIS): entry 1: contains whitespace or a control character',
      'redirectUris (NOTION_REDIRECT_URIS): entry 2: is empty or no string',
      expect.stringContaining('encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): entry 1: needs an id'),
      expect.stringContaining(
        'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): entry 2: the key must be 32 bytes',
      ),
      expect.stringContaining('databaseUrl (NOTION_AUTH_DATABASE_URL): must be a URL'),
    ]);
    expect(problems.join()).not.toContain(CANARY);
    expect(problems.join()).not.toContain(KEY);
  });

  it('never throw anything but a NotionConfigError, and never quote a secret', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('', ',', ':', 'k1:', `k1:${KEY}`, 'https://a.example/cb', '/dev/null'),
    );
    const names = Object.keys(COMPLETE).flatMap((name) => [name, `${name}_FILE`]);
    const environments = fc.record(Object.fromEntries(names.map((name) => [name, text])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(environments, (environment) => {
        const report = problemsOf({ ...environment, NOTION_CLIENT_SECRET_NEXT: `${CANARY} ` }).join();
        expect(report).not.toContain(CANARY);
        expect(report).not.toContain(KEY);
      }),
      { numRuns: 500 },
    );
  });
});

describe('notionAuthConfig', () => {
  const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<GatheredOptions>()
    .setClassMethodName('forRoot')
    .build();

  @Module({
    providers: [
      {
        provide: NOTION_AUTH_CONFIG,
        useFactory: (options: GatheredOptions) => resolveConfig(options),
        inject: [MODULE_OPTIONS_TOKEN],
      },
    ],
  })
  class ConfiguredModule extends ConfigurableModuleClass {}

  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  const start = () =>
    Test.createTestingModule({
      imports: [
        ConfigModule.forRoot({ ignoreEnvFile: true }),
        ConfiguredModule.forRootAsync(notionAuthConfig.asProvider()),
      ],
    }).compile();

  it('configures a module through asProvider(), and no printing of the ConfigService shows a secret', async () => {
    Object.assign(process.env, COMPLETE);
    const app = await start();
    expect(app.get<NotionAuthConfig>(NOTION_AUTH_CONFIG, { strict: false }).clientSecret.reveal()).toBe(
      CANARY,
    );
    const service = app.get(ConfigService, { strict: false });
    process.env = { ...before };
    const options: unknown = service.get('notionAuth');
    for (const printed of [
      inspect(options, { depth: 10, showHidden: true }),
      JSON.stringify(options),
      inspect(service, { depth: 10 }),
    ]) {
      expect(printed).not.toContain(CANARY);
      expect(printed).not.toContain(KEY);
    }
    await app.close();
  });

  it('fails the start with every problem readable', async () => {
    Object.assign(process.env, {
      NOTION_CLIENT_ID: 'changeme',
      NOTION_CLIENT_SECRET_FILE: '/nowhere',
      NODE_ENV: 'production',
    });
    const failure: unknown = await start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotionConfigError);
    expect((failure as Error).message.split('\n')).toEqual([
      'The configuration of nestjs-notion-auth cannot work:',
      '  - clientSecret (NOTION_CLIENT_SECRET): the file that NOTION_CLIENT_SECRET_FILE names cannot be read (ENOENT)',
      '  - clientId (NOTION_CLIENT_ID): is a placeholder',
      '  - redirectUris (NOTION_REDIRECT_URIS): needs at least one redirect URI',
      expect.stringMatching(
        /^ {2}- encryptionKeys \(NOTION_AUTH_ENCRYPTION_KEYS\): are required in production; make one with /,
      ),
    ]);
  });
});
