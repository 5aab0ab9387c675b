import fc from 'fast-check';
import { judgeRedirectUri, judgeRedirectUris } from './redirect-uri.js';

const DEVELOPMENT = { production: false, allowInsecure: false };
const PRODUCTION = { production: true, allowInsecure: false };
const OVERRIDDEN = { production: true, allowInsecure: true };

describe('judging a redirect URI', () => {
  it.each([
    'https://app.example/notion/callback',
    'https://app.example/cb/',
    'https://app.example/',
    'https://app.example:8443/cb',
    'https://xn--bcher-kva.example/cb',
    'https://app.example/caf%C3%A9/cb',
    'http://localhost:3000/cb',
    'https://localhost:5001/cb',
    'http://localhost/cb',
  ])('C2: accepts %s in development, without a word', (uri) => {
    expect(judgeRedirectUri(uri, DEVELOPMENT)).toEqual({ problems: [], warnings: [] });
  });

  it.each([
    ['https://APP.example/cb', 'its host is not lower case', 'https://app.example/cb'],
    ['https://app.example:443/cb', 'default port', 'https://app.example/cb'],
    ['http://localhost:80/cb', 'default port', 'http://localhost/cb'],
    ['HTTPS://app.example/cb', 'its scheme is not lower case', 'https://app.example/cb'],
    ['https://bücher.example/cb', 'ASCII', 'https://xn--bcher-kva.example/cb'],
    ['https://app.example:0443/cb', 'default port', 'https://app.example/cb'],
    ['https://app.example:08443/cb', 'begins with 0', 'https://app.example:8443/cb'],
    ['https://app.example:/cb', 'port is empty', 'https://app.example/cb'],
    ['https://%61pp.example/cb', 'its host is not in normal form', 'https://app.example/cb'],
    ['http://127.1:3000/cb', 'its host is not in normal form', 'http://127.0.0.1:3000/cb'],
    ['http://[0:0:0:0:0:0:0:1]:3000/cb', 'its host is not in normal form', 'http://[::1]:3000/cb'],
    ['https://app.example/%7ecb', 'normal form', 'https://app.example/~cb'],
    ['https://app.example/caf%c3%a9', 'normal form', 'https://app.example/caf%C3%A9'],
    ['https://app.example/café', 'normal form', 'https://app.example/caf%C3%A9'],
  ])('C2: refuses %s for its %s and suggests %s', (uri, rule, suggestion) => {
    const { problems } = judgeRedirectUri(uri, DEVELOPMENT);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(rule);
    expect(problems[0]!.endsWith(`; use ${suggestion}`)).toBe(true);
  });

  it.each([
    ['https://app.example', 'has no path'],
    ['https://app.example?x=1', 'has no path'],
    ['https://app.example/a/../cb', 'dot segment'],
    ['https://app.example/a/./cb', 'dot segment'],
    ['https://app.example/a/%2e%2e/cb', 'dot segment'],
    ['https://app.example/a/.%2E/cb', 'dot segment'],
    ['https://app.example/..', 'dot segment'],
    ['https://app.example//cb', 'empty segment'],
    ['https://app.example/a//cb', 'empty segment'],
    ['https://app.example/cb#x', 'fragment'],
    ['https://app.example/cb#', 'fragment'],
    ['https://app.example/cb%zz', 'percent sign'],
    ['https://app.example/cb%2z', 'percent sign'],
    ['https://app.example/cb%2', 'percent sign'],
    ['https://*.app.example/cb', 'wildcard'],
    ['https://app.example/cb*', 'wildcard'],
    ['http://app.example/cb', 'http outside loopback'],
    ['http://localhost.evil.example/cb', 'http outside loopback'],
    ['http://127.0.0.1.evil.example/cb', 'http outside loopback'],
    ['http://0.0.0.0:3000/cb', 'http outside loopback'],
    ['https://аpple.example/cb', 'different scripts'],
    ['https://xn--pple-43d.example/cb', 'different scripts'],
    ['https://app..example/cb', 'empty label'],
    ['https://app.example./cb', 'empty label'],
    ['https://app.example:0/cb', 'port is 0'],
    ['https://app.example:99999/cb', 'not a valid URL'],
    ['https://app.example/cb?state=1', 'sets state'],
    ['/cb', 'not an absolute https URL'],
    ['app.example/cb', 'not an absolute https URL'],
    ['//app.example/cb', 'not an absolute https URL'],
    ['https:/app.example/cb', 'not an absolute https URL'],
    ['https:///cb', 'not an absolute https URL'],
    ['javascript:alert(1)', 'not an absolute https URL'],
    ['com.app:/cb', 'not an absolute https URL'],
    ['ftp://app.example/cb', 'not an absolute https URL'],
    ['https://app.example\\cb', 'backslash'],
    [' https://app.example/cb\n', 'whitespace'],
    ['https://app.example/cb\n', 'whitespace'],
    ['https://app.example/c b', 'whitespace'],
    ['https://app.example/c\u0000b', 'control character'],
    ['https://app.example/c\u200bb', 'control character'],
    ['https://${HOST}/cb', 'placeholder'],
    ['https://<host>/cb', 'placeholder'],
    ['', 'empty'],
    ['https://app.example/%252e%252e/%2e', 'dot segment'],
    ['https://app.example/a/%2E./cb', 'dot segment'],
    ['https://app.example/cb/..', 'dot segment'],
    ['https://app.example///', 'empty segment'],
    ['https://app.example/cb?x=%', 'percent sign'],
    ['https://app.example/cb?code=1', 'sets code'],
    ['https://app.example/cb?c%6fde=1', 'sets code'],
    ['https://app.example/cb?error=1', 'sets error'],
    ['https://app.example/cb?x=*', 'wildcard'],
    ['http://localhost:80@evil.example/cb', 'user name'],
    ['https://app.example@evil.example/cb', 'user name'],
    ['http://localhost./cb', 'http outside loopback'],
    ['http://sub.localhost/cb', 'http outside loopback'],
    ['http://10.0.0.1/cb', 'http outside loopback'],
    ['http://169.254.169.254/cb', 'http outside loopback'],
    ['http://[::]:3000/cb', 'http outside loopback'],
    ['http://[::ffff:127.0.0.1]/cb', 'http outside loopback'],
    ['https://app.example:-1/cb', 'not a valid URL'],
    ['https://app.example:port/cb', 'not a valid URL'],
    ['https://[::1/cb', 'not a valid URL'],
    ['https://a b.example/cb', 'whitespace'],
    ['https://app.example/cb\u00a0', 'whitespace'],
    ['\ufeffhttps://app.example/cb', 'control character'],
    ['https://app.example/c\u202eb', 'control character'],
    ['https://app.example/c\tb', 'control character'],
    ['https://gооgle.example/cb', 'different scripts'],
    ['data:text/html,x', 'not an absolute https URL'],
    ['file:///etc/passwd', 'not an absolute https URL'],
    ['blob:https://app.example/x', 'not an absolute https URL'],
    ['https:app.example/cb', 'not an absolute https URL'],
    ['https//app.example/cb', 'not an absolute https URL'],
    ['view-source:https://app.example/cb', 'not an absolute https URL'],
    ['//', 'not an absolute https URL'],
    [`https://app.example/${'a'.repeat(2000)}`, 'longer than 2000'],
  ])('C2: refuses %j: %s', (uri, rule) => {
    expect(judgeRedirectUri(uri, DEVELOPMENT).problems.join()).toContain(rule);
  });

  it('C2: takes 2,000 characters and no more', () => {
    const uriOf = (length: number) =>
      `https://app.example/${'c'.repeat(length - 'https://app.example/'.length)}`;
    expect(judgeRedirectUri(uriOf(2_000), DEVELOPMENT).problems).toEqual([]);
    expect(judgeRedirectUri(uriOf(2_001), DEVELOPMENT).problems).toEqual(['is longer than 2000 characters']);
  });

  it.each(['', ' ', 'cb', 'https://app.example\\cb', 'https://${HOST}/cb', 'https://[::1/cb'])(
    'C2: says of %j, which nobody can read, one thing and no more',
    (uri) => {
      expect(judgeRedirectUri(uri, DEVELOPMENT)).toEqual({ problems: [expect.any(String)], warnings: [] });
    },
  );

  it('C2: names every problem of one URI', () => {
    const { problems } = judgeRedirectUri('HTTPS://APP.example:443/a/../cb#x', DEVELOPMENT);
    expect(problems).toHaveLength(5);
  });

  it.each([
    'https://user:canary@app.example/cb',
    'https://canary@app.example/cb',
    'https://:canary@app.example/cb',
    'https://canary:canary@APP.example:443/a/../cb?x#y',
    'https://@app.example/cb',
    'http://canary@*.example/cb',
  ])('C2: refuses the user name and password in %s without printing them', (uri) => {
    const { problems, warnings } = judgeRedirectUri(uri, DEVELOPMENT);
    expect(problems).toContain('contains a user name or password');
    expect([...problems, ...warnings].join()).not.toContain('canary');
  });

  it.each([
    ['https://app.example/cb?env=1', 'query'],
    ['http://127.0.0.1:3000/cb', 'localhost is accepted'],
    ['http://[::1]:3000/cb', 'localhost is accepted'],
  ])('C2: accepts %s with a warning: %s', (uri, warning) => {
    const verdict = judgeRedirectUri(uri, DEVELOPMENT);
    expect(verdict.problems).toEqual([]);
    expect(verdict.warnings).toEqual([expect.stringContaining(warning)]);
  });

  it.each([
    'http://localhost/cb',
    'https://localhost/cb',
    'http://127.0.0.1:3000/cb',
    'http://app.example/cb',
  ])('C7: refuses %s in production unless overridden, and warns then', (uri) => {
    expect(judgeRedirectUri(uri, PRODUCTION).problems.join()).toMatch(
      /^(uses http outside loopback; use https|points at loopback in production; use the public address), or set allowInsecureUrls$/,
    );
    const overridden = judgeRedirectUri(uri, OVERRIDDEN);
    expect(overridden.problems).toEqual([]);
    expect(overridden.warnings).not.toEqual([]);
  });

  it('C2: never throws, and accepts only what a browser would send unchanged', () => {
    const pieces = fc.constantFrom(
      'https://',
      'http://',
      'a',
      'A',
      '.',
      '/',
      ':',
      '@',
      '#',
      '?',
      '%2e',
      '%',
      '*',
      'ü',
      'localhost',
      '[::1]',
      '443',
      ' ',
      '\\',
      'xn--',
      '-',
    );
    const uris = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(uris, fc.boolean(), fc.boolean(), (uri, production, allowInsecure) => {
        const { problems } = judgeRedirectUri(uri, { production, allowInsecure });
        if (problems.length > 0) return;
        const url = new URL(uri);
        expect([url.href, url.username, url.password, url.hash]).toEqual([uri, '', '', '']);
        expect(['https:', 'http:']).toContain(url.protocol);
      }),
      { numRuns: 2000 },
    );
  });

  it('C2: suggests only what it would accept', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ['https', 'HTTPS'] }), (uri) => {
        const suggestions = judgeRedirectUri(uri, DEVELOPMENT).problems.map(
          (rule) => rule.split('; use ')[1],
        );
        if (suggestions.length !== 1 || suggestions[0] === undefined) return;
        expect(judgeRedirectUri(suggestions[0], DEVELOPMENT).problems).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('judging the list', () => {
  it('needs an entry', () => {
    expect(judgeRedirectUris([], DEVELOPMENT)).toEqual({
      problems: ['needs at least one redirect URI'],
      warnings: [],
    });
  });

  it('C2: names entries by position, and equal ones', () => {
    const { problems, warnings } = judgeRedirectUris(
      ['https://a.example/cb', 'cb', 'https://a.example/cb', ''],
      DEVELOPMENT,
    );
    expect(problems).toEqual([
      'entry 2: is not an absolute https URL',
      'entry 4: is empty or no string',
      'entries 1 and 3 are equal',
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['https://a.example/cb', 'https://a.example/cb/'],
    ['https://a.example/cb', 'https://a.example/CB'],
  ])('C6: accepts %s beside %s and says how they differ', (first, second) => {
    const verdict = judgeRedirectUris([first, second], DEVELOPMENT);
    expect(verdict.problems).toEqual([]);
    expect(verdict.warnings).toEqual([expect.stringContaining('entries 1 and 2 differ only in')]);
  });

  it.each([
    ['https://a.example/cb', 'https://a.example/cb2'],
    ['https://a.example/cb', 'https://b.example/cb'],
    ['https://a.example/cb', 'https://a.example/c/b'],
  ])('C6: has nothing to say about %s beside %s', (first, second) => {
    expect(judgeRedirectUris([first, second], DEVELOPMENT)).toEqual({ problems: [], warnings: [] });
  });
});
