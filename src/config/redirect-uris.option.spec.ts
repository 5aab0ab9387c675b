import type { NotionConfigError } from '../domain/errors.js';
import { ConfigFindings } from './config-findings.js';
import { readPublicBasePaths, readRedirectUris } from './redirect-uris.option.js';

const HTTPS = 'https://app.example/notion/callback';
const HTTP = 'http://localhost:3000/notion/callback';
const LABEL = 'redirectUris (NOTION_REDIRECT_URIS)';
const OVER_HTTP = `${LABEL}: over http the cookie that binds a connect to its browser cannot be Secure, nor __Host-: for development only`;

function read(redirectUris: unknown) {
  const findings = new ConfigFindings();
  const policy = { production: false, allowInsecure: false };
  const uris = readRedirectUris({ redirectUris } as never, policy, findings);
  try {
    findings.throwIfAny();
  } catch (error) {
    return {
      uris,
      problems: (error as NotionConfigError).problems,
      warnings: findings.warnings,
    };
  }
  return { uris, problems: [], warnings: findings.warnings };
}

describe('the redirect URIs among the options', () => {
  it('stay as they were written, in their order', () => {
    expect(read([HTTPS, 'https://other.example/cb'])).toEqual({
      uris: [HTTPS, 'https://other.example/cb'],
      problems: [],
      warnings: [],
    });
  });

  it.each<[string, unknown, string]>([
    ['missing', undefined, 'needs at least one redirect URI'],
    ['empty', [], 'needs at least one redirect URI'],
    ['a text', HTTPS, 'must be a list of URLs'],
    ['too many', Array(101).fill(HTTPS), 'has more than 100 entries'],
  ])('are refused when they are %s', (_, given, rule) => {
    expect(read(given)).toEqual({ uris: [''], problems: [`${LABEL}: ${rule}`], warnings: [] });
  });

  it('are a hundred at the most', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `${HTTPS}/${n}`);
    expect([100, 101].map((count) => read(many(count)).problems.length)).toEqual([0, 1]);
  });

  it('are warned of as soon as one of them is plain http', () => {
    expect(read([HTTPS, HTTP]).warnings).toContain(OVER_HTTP);
    expect(read([HTTPS, HTTP]).problems).toEqual([]);
  });
});

describe('the public base path', () => {
  function readBase(publicBasePath: unknown) {
    const findings = new ConfigFindings();
    const paths = readPublicBasePaths({ publicBasePath } as never, findings);
    try {
      findings.throwIfAny();
    } catch (error) {
      return (error as NotionConfigError).problems;
    }
    return paths;
  }

  it.each<[unknown, string[]]>([
    [undefined, ['']],
    ['', ['']],
    ['/', ['']],
    ['api', ['/api']],
    ['/api/', ['/api']],
    ['//gateway/v1.2//', ['/gateway/v1.2']],
    ['/caf%C3%A9', ['/caf%C3%A9']],
    [
      ['/api', ' / '],
      ['/api', ''],
    ],
    [['/api', 'api/'], ['/api']],
    [[], ['']],
  ])('%j is what stands before a mounted path: %j', (given, paths) => {
    expect(readBase(given)).toEqual(paths);
  });

  it.each([
    'https://app.example/api',
    '//app.example:8443/api',
    '/api?x=1',
    '/api#x',
    '/:tenant',
    '/*rest',
    '/a//b',
    '/a/../b',
    '/a/%2e%2E/b',
    'a b',
    '\\api',
    `/${'a'.repeat(201)}`,
    7,
    null,
    [['/api']],
  ])('C8: is a path and nothing else, not %j', (given) => {
    expect(readBase(given)).toEqual([
      'publicBasePath (NOTION_AUTH_PUBLIC_BASE_PATH): must be a path such as /api (or a list of them), without scheme, host, query or fragment',
    ]);
  });
});
