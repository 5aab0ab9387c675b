import type { NotionConfigError } from '../domain/errors.js';
import { ConfigFindings } from './config-findings.js';
import { readRedirectUris } from './redirect-uris.option.js';

const HTTPS = 'https://app.example/notion/callback';
const HTTP = 'http://localhost:3000/notion/callback';
const LABEL = 'redirectUris (NOTION_REDIRECT_URIS)';
const OVER_HTTP = `${LABEL}: over http the cookie that binds a connect to its browser cannot be Secure, nor __Host-: for development only`;

function read(redirectUris: unknown, more: object = {}) {
  const findings = new ConfigFindings();
  const uris = readRedirectUris({ redirectUris, ...more } as never, false, findings);
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

  it('say whose flag it is that is no flag', () => {
    expect(read([HTTPS], { allowInsecureRedirectUris: 'yes' }).problems).toEqual([
      'allowInsecureRedirectUris: must be true or false',
    ]);
  });
});
