import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { NotionConfigError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import type { NotionAuthConfig, GatheredOptions } from './notion-auth.options.js';
import { resolveConfig } from './resolve-config.js';

const CANARY = 'canary-s3cret-ü-that-is-nowhere-else';
const KEY = randomBytes(32).toString('base64');
const GOOD: GatheredOptions = {
  clientId: 'b7a0c1f2-client',
  clientSecret: CANARY,
  redirectUris: ['https://app.example/notion/callback'],
  encryptionKeys: [{ id: 'k1', key: KEY }],
};

function resolve(difference: object = {}, environment = {}): NotionAuthConfig {
  return resolveConfig({ ...GOOD, ...difference }, environment);
}

const NOT_A_RETURN =
  'connect.defaultReturnTo: must be a path on the own origin, such as /settings, or a URL on one of connect.allowedReturnOrigins';

function problemsOf(difference: object, environment = {}): readonly string[] {
  try {
    resolve(difference, environment);
  } catch (error) {
    if (error instanceof NotionConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the resolved configuration', () => {
  it('has every default', () => {
    const { clientSecret, encryptionKeys, ...rest } = resolve();
    expect(clientSecret.reveal()).toBe(CANARY);
    expect(encryptionKeys.map(({ id, key }) => [id, key.reveal()])).toEqual([['k1', KEY]]);
    expect(rest).toEqual({
      clientId: 'b7a0c1f2-client',
      clientSecretNext: null,
      clientSecretSource: null,
      redirectUris: ['https://app.example/notion/callback'],
      publicBasePaths: [''],
      apiBaseUrl: 'https://api.notion.com',
      issuer: 'https://api.notion.com',
      notionVersion: '2026-03-11',
      production: false,
      databaseUrl: null,
      databaseTls: null,
      databaseFile: './data/notion-auth.sqlite',
      runMigrations: null,
      allowMissingKeys: false,
      refresh: {
        callerWaitMs: 10_000,
        requestTimeoutMs: 75_000,
        leaseMs: 120_000,
        leaseMarginMs: 10_000,
        quarantineMs: 600_000,
        restartGraceMs: 150_000,
        maxTokenAgeMs: null,
        maxRetryAfterMs: 900_000,
        replay: 'once',
        journalFolder: null,
        journalMaxBytes: 67_108_864,
        retainMs: 900_000,
        failoverHoldMs: 150_000,
        drainMs: 75_000,
        massDeadMinimum: 5,
        maxConcurrent: 8,
        maxQueued: 1_000,
        maxRetained: 100_000,
      },
      connect: {
        stateLifetimeMs: 600_000,
        maxPendingPerOwner: 20,
        maxWaiting: 10_000,
        maxExchanges: 100,
        defaultReturnTo: '/',
        allowedReturnOrigins: [],
        ownerFromState: false,
        exchangeTimeoutMs: 75_000,
      },
      outbound: {
        maxConcurrentPerAuthorization: 50,
        maxQueuedPerAuthorization: 10_000,
        maxCalls: 50_000,
        maxSockets: 256,
        proxy: null,
        maxAnswerBytes: 33_554_432,
        maxReads: 10_000,
        tokenCacheSize: 10_000,
        tokenCacheTtlMs: 60_000,
        callTimeoutMs: 60_000,
      },
      revocation: {
        waitMs: 5_000,
        firstRetryMs: 10_000,
        maxAttempts: 20,
        maxAgeMs: 21_600_000,
        maxConcurrent: 100,
        lookEveryMs: 30_000,
      },
      webhooks: {
        verificationTokens: [],
        maxBodyBytes: 1_048_576,
        rememberMs: 90_000_000,
        maxEvents: 100_000,
        maxConcurrent: 8,
        maxQueued: 1_000,
        drainMs: 25_000,
      },
      events: { lookEveryMs: 5_000, leaseMs: 60_000, maxDeliveries: 20, keepMs: 604_800_000 },
      health: { minuteMs: 60_000 },
      warnings: [],
    });
  });

  it('takes undefined for "the default", in options and in sections', () => {
    const names = [
      'clientSecretNext',
      'apiBaseUrl',
      'notionVersion',
      'production',
      'databaseUrl',
      'databaseFile',
      'runMigrations',
      'refresh',
      'connect',
      'outbound',
      'revocation',
    ];
    const config = resolve(Object.fromEntries(names.map((name) => [name, undefined])));
    expect(JSON.stringify(config)).toBe(JSON.stringify(resolve()));
    expect(resolve({ refresh: { leaseMs: undefined } }).refresh.leaseMs).toBe(120_000);
  });

  it('keeps redirect URIs byte for byte', () => {
    const redirectUris = ['https://app.example/cb/', 'https://app.example/cb?env=1&b=%2F'];
    expect(resolve({ redirectUris }).redirectUris).toEqual(redirectUris);
  });

  it('is frozen all the way down', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || value instanceof Secret
        ? true
        : Object.isFrozen(value) && Object.values(value).every(frozen);
    expect(frozen(resolve({ encryptionKeys: undefined }))).toBe(true);
  });

  it('leaves the options as they were given', () => {
    const options = { ...GOOD, redirectUris: [...GOOD.redirectUris], refresh: {} };
    resolveConfig(options, {});
    expect(options.refresh).toEqual({});
    options.redirectUris.push('https://app.example/other');
  });

  it('shows no secret however it is printed', () => {
    const config = resolve({
      clientSecretNext: `next-${CANARY}`,
      databaseUrl: `postgres://app:${CANARY}@db/app`,
    });
    const key = Buffer.from(KEY, 'base64').toString('hex');
    for (const printed of [
      inspect(config, { depth: 10, showHidden: true }),
      JSON.stringify(config),
      String(config.clientSecret),
    ]) {
      expect(printed).not.toContain(CANARY);
      expect(printed).not.toContain(KEY);
      expect(printed).not.toContain(key);
    }
  });

  it('takes secrets that are wrapped already', () => {
    const config = resolve({
      clientSecret: new Secret(CANARY),
      encryptionKeys: [{ id: 'k1', key: new Secret(KEY) }],
    });
    expect(config.clientSecret.reveal()).toBe(CANARY);
    expect(config.encryptionKeys[0].key.reveal()).toBe(KEY);
  });
});

describe('problems', () => {
  it('D1: are all named at once, by option and variable, and quote nothing', () => {
    const databaseUrl = `sqlite://${CANARY}`;
    const failing = {
      clientId: '',
      clientSecret: ' ',
      redirectUris: ['cb'],
      encryptionKeys: [{ id: '', key: CANARY }],
      databaseUrl,
    };
    const problems = problemsOf({ ...failing, apiBaseUrl: `http://${CANARY}`, refresh: { leaseMs: 1 } });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'apiBaseUrl (NOTION_API_BASE_URL)',
      'clientId (NOTION_CLIENT_ID)',
      'clientSecret (NOTION_CLIENT_SECRET)',
      'redirectUris (NOTION_REDIRECT_URIS)',
      'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS)',
      'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS)',
      'databaseUrl (NOTION_AUTH_DATABASE_URL)',
      'refresh.leaseMs',
    ]);
    expect(problems.join()).not.toContain(CANARY);
  });

  it.each([undefined, null, 'text', 3])('are all of it when the options are %j', (options) => {
    expect(() => resolveConfig(options as never, {})).toThrow(NotionConfigError);
  });

  it.each([
    'changeme',
    'CHANGE_ME',
    'change-me',
    'your-client-secret',
    'your_notion_secret',
    'xxx',
    'XXXXXXXX',
    'secret',
    'client-secret',
    '<client secret>',
    '${NOTION_CLIENT_SECRET}',
    'prefix-${SECRET}',
    '{{ secret }}',
    '********',
    '...',
    'undefined',
    'null',
    'todo',
    ' secret ',
    'Your Client Secret',
    'YOUR_SECRET_HERE',
    'enter-your-secret',
    'insert_secret_here',
    'secret123',
    'my-client-secret',
    'notion-secret',
    'supersecret',
    'foo',
    'foobar',
    'abc123',
    '12345678',
    '00000000-0000-0000-0000-000000000000',
    'N/A',
    '-',
    '???',
    '$NOTION_CLIENT_SECRET',
    '%NOTION_CLIENT_SECRET%',
    '#{secret}',
    '<%= secret %>',
    'process.env.NOTION_CLIENT_SECRET',
    'vault:secret/notion',
    'op://vault/notion/secret',
    'secret_xxxxxxxxxxxx',
    'secret_XXXX',
    'secret_...',
    '••••••••',
    '"secret"',
    '[REDACTED]',
    'redacted',
    'fixme',
    'sample',
  ])('D2: include the placeholder %j as client secret, next secret and id', (value) => {
    expect(problemsOf({ clientSecret: value })).toEqual([
      'clientSecret (NOTION_CLIENT_SECRET): is a placeholder',
    ]);
    expect(problemsOf({ clientSecretNext: value })).toEqual([
      'clientSecretNext (NOTION_CLIENT_SECRET_NEXT): is a placeholder',
    ]);
    expect(problemsOf({ clientId: value })).toEqual(['clientId (NOTION_CLIENT_ID): is a placeholder']);
  });

  it.each([
    // D2: the two halves of the credentials are never the same.
    [{ clientSecret: GOOD.clientId }, 'clientSecret (NOTION_CLIENT_SECRET): equals the client id'],
    [{ clientSecret: undefined }, 'clientSecret (NOTION_CLIENT_SECRET): is missing'],
    [{ clientSecret: `${CANARY}\n` }, 'clientSecret (NOTION_CLIENT_SECRET): begins or ends with whitespace'],
    [{ clientSecret: 12 }, 'clientSecret (NOTION_CLIENT_SECRET): must be a string'],
    [{ clientId: 'a:b' }, 'clientId (NOTION_CLIENT_ID): must not contain a colon'],
    [
      { redirectUris: 'https://app.example/cb' },
      'redirectUris (NOTION_REDIRECT_URIS): must be a list of URLs',
    ],
    [{ redirectUris: [7] }, 'redirectUris (NOTION_REDIRECT_URIS): entry 1: is empty or no string'],
    [{ encryptionKeys: KEY }, 'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): must be a list of { id, key }'],
    [{ notionVersion: 'latest' }, 'notionVersion (NOTION_VERSION): must be a date, such as 2026-03-11'],
    [{ production: 'false' }, 'production: must be true or false'],
    [{ runMigrations: 'yes' }, 'runMigrations (NOTION_AUTH_RUN_MIGRATIONS): must be true or false'],
    [{ databaseFile: '' }, 'databaseFile (NOTION_AUTH_DATABASE_PATH): must be a file name'],
    [{ redirectUri: 'https://app.example/cb' }, 'redirectUri: is not an option'],
    [{ refresh: { leaseMS: 1 } }, 'refresh.leaseMS: is not an option'],
    [{ refresh: 7 }, expect.stringMatching(/^refresh: /)],
    [{ connect: { defaultReturnTo: '//evil.example' } }, NOT_A_RETURN],
    [{ connect: { defaultReturnTo: '/\\evil.example' } }, NOT_A_RETURN],
    [{ connect: { defaultReturnTo: '/.//evil.example' } }, NOT_A_RETURN],
    [{ connect: { defaultReturnTo: 'https://evil.example' } }, NOT_A_RETURN],
    [
      {
        connect: {
          defaultReturnTo: 'https://front.example.evil.example/',
          allowedReturnOrigins: ['https://front.example'],
        },
      },
      NOT_A_RETURN,
    ],
    [{ connect: { ownerFromState: 'yes' } }, 'connect.ownerFromState: must be true or false'],
    [
      { connect: { allowedReturnOrigins: 'https://front.example' } },
      expect.stringContaining('must be a list of origins, such as https://app.example'),
    ],
    ...[
      ['https://front.example/', 'is not an origin as browsers send it; use https://front.example'],
      ['https://FRONT.example:443', 'is not an origin as browsers send it; use https://front.example'],
      ['https://front.example/app', 'is not an origin as browsers send it; use https://front.example'],
      ['https://*.front.example', 'contains a wildcard; list each origin'],
      ['*', 'contains a wildcard; list each origin'],
      ['https://user:password@front.example', 'contains a user name or password'],
      ['front.example', 'is not an http or https origin, such as https://app.example'],
      ['javascript:alert(1)', 'is not an http or https origin, such as https://app.example'],
      ['null', 'is not an http or https origin, such as https://app.example'],
      ['', 'is not an http or https origin, such as https://app.example'],
    ].map(([origin, rule]): [object, string] => [
      { connect: { allowedReturnOrigins: ['https://good.example', origin] } },
      `connect.allowedReturnOrigins (NOTION_AUTH_RETURN_ORIGINS): entry 2: ${rule}`,
    ]),
  ])('include %j', (difference, problem) => {
    expect(problemsOf(difference)).toEqual([problem]);
  });

  it('D2: do not include what Notion gives out', () => {
    const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    for (let round = 0; round < 2_000; round += 1) {
      const random = [...randomBytes(43)].map((byte) => alphabet[byte % alphabet.length]).join('');
      for (const clientSecret of [`secret_${random}`, `ntn_${random}`, random]) {
        expect(problemsOf({ clientId: randomUUID(), clientSecret })).toEqual([]);
      }
    }
  });

  it('D2: include an id or a secret that no patience reads to its end', () => {
    for (const unit of ['${', '{{', '<', 'x']) {
      expect(problemsOf({ clientSecret: `k${unit.repeat(2 ** 19)}` })).toEqual([
        'clientSecret (NOTION_CLIENT_SECRET): is longer than 1024 characters',
      ]);
    }
  });

  it('C2, D5: include a list of more entries than anybody registers', () => {
    expect(problemsOf({ redirectUris: Array(101).fill('https://app.example/cb') })).toEqual([
      'redirectUris (NOTION_REDIRECT_URIS): has more than 100 entries',
    ]);
    expect(problemsOf({ encryptionKeys: Array(101).fill({ id: 'k', key: KEY }) })).toEqual([
      'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): has more than 100 entries',
    ]);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', null])(
    'include the duration %p',
    (value) => {
      for (const [section, name] of [
        ['refresh', 'callerWaitMs'],
        ['connect', 'stateLifetimeMs'],
        ['outbound', 'callTimeoutMs'],
      ] as const) {
        expect(problemsOf({ [section]: { [name]: value } })).toEqual([
          `${section}.${name}: must be a positive whole number of milliseconds`,
        ]);
      }
      expect(problemsOf({ refresh: { maxConcurrent: value } })).toEqual([
        'refresh.maxConcurrent: must be a positive whole number',
      ]);
    },
  );

  it('include a duration that a timer would cut to nothing', () => {
    expect(problemsOf({ refresh: { callerWaitMs: 2 ** 31 } })).toEqual([
      'refresh.callerWaitMs: must be at most 2147483647 ms',
    ]);
    expect(resolve({ refresh: { maxTokenAgeMs: 2 ** 40 } }).refresh.maxTokenAgeMs).toBe(2 ** 40);
  });

  it('include a token cache that outlives a minute', () => {
    expect(problemsOf({ outbound: { tokenCacheTtlMs: 60_001 } })).toEqual([
      'outbound.tokenCacheTtlMs: must be at most 60000 ms',
    ]);
  });

  it('D12: include a lease that can end before the answer, with the numbers', () => {
    expect(problemsOf({ refresh: { leaseMs: 85_499 } })).toEqual([
      'refresh.leaseMs: 85499 is less than requestTimeoutMs 75000 + leaseMarginMs 10000 + 500 for the claim itself = 85500',
    ]);
    expect(problemsOf({ refresh: { leaseMs: 85_500 } })).toEqual([]);
  });

  it.each([
    'http://api.notion.com',
    'http://localhost.evil.example',
    'https://api.notion.com/v1',
    'https://api.notion.com/?a=1',
    'https://api.notion.com/#a',
    'https://user:pw@api.notion.com',
    'api.notion.com',
    'ftp://api.notion.com',
    '',
    ' https://api.notion.com',
  ])('D9: include the API base URL %j', (apiBaseUrl) => {
    expect(problemsOf({ apiBaseUrl })).toEqual([
      expect.stringMatching(/^apiBaseUrl \(NOTION_API_BASE_URL\): /),
    ]);
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000/', 'http://[::1]:4000', 'https://proxy.example'])(
    'do not include the API base URL %s',
    (apiBaseUrl) => {
      expect(resolve({ apiBaseUrl }).apiBaseUrl).toBe(apiBaseUrl.replace(/\/$/, ''));
    },
  );

  it.each([
    'http://notion.example',
    'https://notion.example/?a=1',
    'https://notion.example/#a',
    'https://user:pw@notion.example',
    'notion.example',
    '',
    7,
  ])('D13: include the issuer %j', (issuer) => {
    expect(problemsOf({ issuer: issuer as string })).toEqual([
      expect.stringMatching(/^issuer \(NOTION_ISSUER\): /),
    ]);
  });

  it.each([
    'https://notion.example',
    'https://notion.example/',
    'https://www.notion.so/oauth',
    'http://[::1]:4000',
  ])('D13: do not include the issuer %s, which stays as it is written', (issuer) => {
    expect(resolve({ issuer }).issuer).toBe(issuer);
  });

  it('D13: have the issuer of the API base URL by default', () => {
    expect(resolve({ apiBaseUrl: 'http://localhost:4000/' }).issuer).toBe('http://localhost:4000');
  });

  it.each(['postgres', 'postgresql', 'mysql', 'mariadb'])('do not include a %s database', (protocol) => {
    expect(problemsOf({ databaseUrl: `${protocol}://app:pw@db.example:1234/app` })).toEqual([]);
  });

  it.each(['sqlite:///x', 'http://db', 'db.example', '/data/x.sqlite', ''])(
    'include the database URL %j',
    (databaseUrl) => {
      expect(problemsOf({ databaseUrl })).toEqual([
        expect.stringMatching(/^databaseUrl \(NOTION_AUTH_DATABASE_URL\): must be a URL/),
      ]);
    },
  );
});

describe('production', () => {
  const production = { NODE_ENV: 'production' };

  it('refuses to start without encryption keys, and development makes one that is gone after the process', () => {
    expect(problemsOf({ encryptionKeys: undefined }, production)).toEqual([
      expect.stringMatching(
        /^encryptionKeys \(NOTION_AUTH_ENCRYPTION_KEYS\): are required in production; make /,
      ),
    ]);
    const [first, second] = [resolve({ encryptionKeys: undefined }), resolve({ encryptionKeys: [] })];
    expect(first.warnings).toEqual([expect.stringContaining('will not survive a restart')]);
    expect(first.encryptionKeys[0].id).not.toBe(second.encryptionKeys[0].id);
    expect(first.encryptionKeys[0].key.equals(second.encryptionKeys[0].key)).toBe(false);
  });

  it('is not needed for a shared database to refuse a key that one process makes for itself', () => {
    const databaseUrls = ['postgres://u@h/d', 'mysql://u@h/d', 'mariadb://u@h/d'];
    const refused = [
      /^encryptionKeys \(NOTION_AUTH_ENCRYPTION_KEYS\): are required with a database that .*openssl rand -base64 32/,
    ].map((rule): unknown => expect.stringMatching(rule));
    for (const encryptionKeys of [undefined, []]) {
      for (const databaseUrl of databaseUrls)
        expect(problemsOf({ encryptionKeys, databaseUrl })).toEqual(refused);
      const options = { ...GOOD, encryptionKeys };
      expect(() => resolveConfig(options, {}, null, { dataSource: 'default' })).toThrow(/openssl rand/);
      expect(problemsOf({ encryptionKeys, databaseFile: 'notion.sqlite' })).toEqual([]);
    }
    for (const databaseUrl of databaseUrls) expect(problemsOf({ databaseUrl })).toEqual([]);
  });

  it('D9: refuses to start with TLS verification off, and development warns', () => {
    const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    expect(problemsOf({}, { ...production, ...off })).toEqual([
      expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED'),
    ]);
    expect(resolve({}, off).warnings).toEqual([expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED')]);
  });

  it('D1: empty id, secret and key are one error with three names and no value', () => {
    const empty = { clientId: '', clientSecret: '', encryptionKeys: [{ id: 'k1', key: '' }] };
    const problems = problemsOf(empty, production);
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'clientId',
      'clientSecret',
      'encryptionKeys',
    ]);
  });

  it('refuses loopback redirect URIs unless they are allowed', () => {
    const redirectUris = ['http://localhost:3000/cb'];
    expect(problemsOf({ redirectUris }, production)).toHaveLength(1);
    expect(problemsOf({ redirectUris, allowInsecureUrls: true }, production)).toEqual([]);
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000', 'https://[::1]:4000'])(
    'D9: refuses the API base URL %s unless it is allowed, and warns then',
    (apiBaseUrl) => {
      expect(problemsOf({ apiBaseUrl }, production)).toEqual([
        'apiBaseUrl (NOTION_API_BASE_URL): points at loopback in production; remove it to use https://api.notion.com, or set allowInsecureUrls',
      ]);
      const { warnings } = resolve({ apiBaseUrl, allowInsecureUrls: true }, production);
      expect(warnings).toContain('apiBaseUrl (NOTION_API_BASE_URL): points at loopback in production');
    },
  );

  it('D9: refuses an API base URL of plain http outside loopback in any case', () => {
    for (const environment of [{}, production]) {
      expect(
        problemsOf({ apiBaseUrl: 'http://notion.example', allowInsecureUrls: true }, environment),
      ).toEqual(['apiBaseUrl (NOTION_API_BASE_URL): must use https (http only on loopback)']);
    }
  });

  it('says whose flag it is that is no flag', () => {
    expect(problemsOf({ allowInsecureUrls: 'yes' as never })).toEqual([
      'allowInsecureUrls: must be true or false',
    ]);
  });

  it('A31: refuses return origins over http unless they are allowed', () => {
    const connect = { allowedReturnOrigins: ['http://front.example', 'https://front.example'] };
    expect(resolve({ connect }).connect.allowedReturnOrigins).toHaveLength(2);
    expect(problemsOf({ connect }, production)).toEqual([
      expect.stringMatching(/^connect\.allowedReturnOrigins .*entry 1: uses http in production; use https$/),
    ]);
    const { warnings } = resolve({ connect, allowInsecureUrls: true }, production);
    expect(warnings).toContainEqual(expect.stringContaining('uses http in production'));
  });

  it('A31: lets a connect end at a listed origin by default', () => {
    const connect = {
      allowedReturnOrigins: ['https://front.example'],
      defaultReturnTo: 'https://front.example/notion',
    };
    expect(problemsOf({ connect }, production)).toEqual([]);
  });

  it('A32: warns of a state that names the owner where the cookie is not safe', () => {
    const given = {
      redirectUris: ['http://localhost:3000/cb'],
      allowInsecureUrls: true,
      connect: { ownerFromState: true },
    };
    expect(resolve(given, production).warnings).toContainEqual(
      expect.stringContaining('connect.ownerFromState: trusts the cookie'),
    );
    expect(
      resolve({ connect: { ownerFromState: true }, databaseFile: 'a.sqlite' }, production).warnings,
    ).toEqual([]);
  });

  it('is what the option says, whatever NODE_ENV says', () => {
    expect(resolve({}, production).production).toBe(true);
    expect(resolve({ production: false }, production).production).toBe(false);
    expect(resolve({ production: true }, {}).production).toBe(true);
  });
});

describe('warnings', () => {
  it.each([
    [{ clientSecretNext: CANARY }, 'clientSecretNext'],
    [{ databaseUrl: 'postgres://db/app', databaseFile: './x.sqlite' }, 'databaseFile'],
    [{ refresh: { quarantineMs: 1_000 } }, 'refresh.quarantineMs'],
    [{ refresh: { requestTimeoutMs: 5_000 } }, 'refresh.requestTimeoutMs'],
    [{ redirectUris: ['http://localhost:3000/cb'] }, 'redirectUris'],
  ])('name what works and is worth a look in %j', (difference, option) => {
    const { warnings } = resolve(difference);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${option}\\b`))]);
    expect(warnings.join()).not.toContain(CANARY);
  });
});
