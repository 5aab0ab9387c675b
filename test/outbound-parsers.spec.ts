import fc from 'fast-check';
import { NotionAuthError, NotionRequestRefusedError } from '../src/domain/errors.js';
import { isTokenRefusal } from '../src/outbound/http-answer.js';
import { outboundHeaders } from '../src/outbound/outbound-headers.js';
import { resolveTarget } from '../src/outbound/request-target.js';
import { classifyRefusal } from '../src/notion/classify-answer.js';
import { parseOAuthError, parseRequestId } from '../src/notion/oauth-error.schema.js';
import { parseRetryAfter } from '../src/notion/retry-after.js';
import { parseGrant, parseTokens } from '../src/notion/token-answer.schema.js';
import { leastTimeOf } from './support/least-time.js';

const NOTION = 'https://api.notion.com';
const NOW = new Date('2026-01-01T00:00:00Z');
const MIB = 2 ** 20;
const LIMIT_MS = 50;
const VISIBLE = /^[\x21-\x7e]+$/;

/** As the transport reads a body, which it takes no more of: what is no JSON is nothing. */
function json(text: string): unknown {
  try {
    return JSON.parse(text.slice(0, 64 * 1024));
  } catch {
    return undefined;
  }
}

const answer = (text: string) => ({
  url: NOTION,
  status: 401,
  statusText: '',
  headers: {},
  body: Buffer.from(text),
});

/** Everything on the way out and back that reads what somebody else wrote. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a request target': (text) => resolveTarget(text, NOTION),
  'a request target that is not too long': (text) =>
    resolveTarget(`/v1/pages/${text.slice(0, 65_000)}`, NOTION),
  'a header value': (text) => outboundHeaders({ 'x-custom': text }),
  'a header name': (text) => outboundHeaders([[text, 'x']]),
  'Retry-After': (text) => parseRetryAfter(text, NOW),
  'a request id': (text) => parseRequestId(text),
  'a token answer': (text) => [parseTokens(json(text)), parseGrant(json(text))],
  'the fields of a token answer': (text) => {
    const body = { ...ANSWER, access_token: text, refresh_token: text, bot_id: text, request_id: text };
    return [parseTokens(body), parseGrant(body)];
  },
  'an OAuth error': (text) => parseOAuthError(json(text)),
  'the code of an OAuth error': (text) => classifyRefusal(400, parseOAuthError({ error: text }).code),
  'an answer of the API': (text) => isTokenRefusal(answer(text)),
};

const ANSWER = {
  access_token: 'ntn_access',
  token_type: 'bearer',
  refresh_token: 'nrt_refresh',
  bot_id: 'bot',
  workspace_id: 'workspace',
};

const UNITS = [
  'a',
  '/',
  '\\',
  '.',
  '../',
  './',
  '..;',
  '%',
  '%2e',
  '%2f',
  '%25',
  '%252e',
  '%25252e',
  '%zz%25',
  '%00',
  '%E0%A4%A',
  '?',
  '#',
  ':',
  '@',
  ';',
  '//evil.example',
  'https://',
  'https://evil.example/',
  'oauth/',
  'v1/',
  '/v1/oauth/token',
  ' ',
  '\t',
  '\r\n',
  '\u0000',
  '\u00a0',
  'ü',
  '\u202e',
  '\ud83c\udfd4',
  '\ud83c',
  '0',
  '9',
  '-',
  'Thu, ',
  '01 Jan ',
  'GMT',
  '[',
  '{"a":',
  '{"__proto__":',
  '"',
  '\\u0000',
  ',',
  'invalid_grant',
  'unauthorized',
];

/** A refusal in words of its own is an answer too; anything else that is thrown is not. */
function read(parser: (text: string) => unknown, text: string): unknown {
  try {
    return parser(text);
  } catch (error) {
    if (error instanceof NotionAuthError) return error;
    throw error;
  }
}

const filled = (unit: string) => unit.repeat(Math.ceil(MIB / unit.length)).slice(0, MIB);

describe.each(Object.entries(PARSERS))('reading %s', (_name, parser) => {
  it(`J9: is over within ${String(LIMIT_MS)} ms for a MiB, whatever it is full of`, () => {
    const slow = UNITS.flatMap((unit) => [filled(unit), `/${filled(unit)}!`].map((text) => ({ unit, text })))
      .map(({ unit, text }) => ({ unit, tookMs: leastTimeOf(() => read(parser, text), LIMIT_MS) }))
      .filter(({ tookMs }) => tookMs > LIMIT_MS);
    expect(slow).toEqual([]);
  }, 120_000);

  it('ends every text in an answer or in a typed error, and leaves every prototype as it was', () => {
    const pieces = fc.constantFrom(
      ...UNITS,
      '{"constructor":{"prototype":{"x":1}}}',
      '{"__proto__":{"x":1}}',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.json(),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.array(pieces, { maxLength: 16 }).map((parts) => parts.join('')),
    );
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    fc.assert(
      fc.property(texts, (text) => {
        read(parser, text);
      }),
      { numRuns: 1_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('a request target', () => {
  const schemes = fc.constantFrom(
    '',
    'https:',
    'HTTPS:',
    'http:',
    'blob:https:',
    'ftp:',
    'javascript:',
    'x:',
  );
  const slashes = fc.constantFrom('', '/', '//', '///', '\\\\', '/\\', '\\/', '/\t/', '\n//');
  const hosts = fc.constantFrom(
    '',
    'api.notion.com',
    'API.notion.com',
    'api.notion.com.',
    'api.notion.com:443',
    'api.notion.com:8443',
    'api.notion.com.evil.example',
    'api.notion.com@evil.example',
    'api.notion.com%2fevil.example',
    'user:pass@api.notion.com',
    'evil.example',
    'evil.example#@api.notion.com',
    '[::1]',
    '127.0.0.1',
    'v1',
  );
  const plain = fc.constantFrom('v1', 'pages', 'users', 'a%2Fb', 'f%5C%5C%3Ap', '100%25', '...', 'a..b', 'ü');
  const odd = fc.constantFrom(
    ...['oauth', 'OAuth', '%6fauth', '%256fauth', '%25%36fauth', 'token', 'oauth;x', 'v1;x', '', '%', '\t'],
    ...[
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '%252e%252e',
      '..;x',
      '..%2f',
      '%2f..',
      '%5c..',
      '..\\',
      '%00',
      '%0d%0a',
    ],
  );
  const segments = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: odd });
  const tails = fc.constantFrom('', '?a=b', '#a', '?next=https://evil.example/../oauth', '#/../oauth');
  const starts = fc.oneof(
    fc.constantFrom('', NOTION, '//api.notion.com', 'https:'),
    fc.tuple(schemes, slashes, hosts).map((parts) => parts.join('')),
  );
  const targets = fc
    .tuple(starts, fc.array(segments, { maxLength: 7 }), tails)
    .map(([start, path, tail]) => `${start}/${path.join('/')}${tail}`);

  it('G1, G6: is accepted only as a path of the API that no server can read as OAuth or as a way up', () => {
    let accepted = 0;
    fc.assert(
      fc.property(targets, (text) => {
        const sent = read((target) => resolveTarget(target, NOTION), text);
        if (sent instanceof NotionRequestRefusedError) return;
        accepted += 1;
        expect(sent).toMatch(/^\/[\x21-\x7e]*$/);
        expect(new URL(text, NOTION).host).toBe('api.notion.com');
        const [path] = (sent as string).split(/[?#]/);
        expect(readings(path!).filter(isWrong)).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });

  it('G1: means the same as text, as URL and as the text of that URL', () => {
    fc.assert(
      fc.property(targets, (text) => {
        const sent = read((target) => resolveTarget(target, NOTION), text);
        if (sent instanceof Error) return;
        const url = new URL(text, NOTION);
        expect([resolveTarget(url, NOTION), resolveTarget(url.href, NOTION)]).toEqual([sent, sent]);
      }),
      { numRuns: 5_000 },
    );
  });
});

/** A way up, an OAuth endpoint, or a character that ends a line. */
function isWrong(meant: string): boolean {
  const walked = meant.split(/[/\\]/).map((segment) => segment.replace(/[;?#].*$/s, ''));
  const [first, second] = walked.filter((segment) => segment !== '');
  const isOAuth = first === 'v1' && second?.toLowerCase() === 'oauth';
  return isOAuth || walked.includes('.') || walked.includes('..') || /\p{Cc}/u.test(meant);
}

/** What servers that decode once, twice or three times take a path for, byte by byte. */
function readings(path: string): string[] {
  const decoded = (text: string) =>
    text.replaceAll(/%([\da-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const once = decoded(Buffer.from(path).toString('latin1')).replaceAll(/[\x80-\xff]/g, 'x');
  const twice = decoded(once);
  return [path, once, twice, decoded(twice)];
}

describe('Retry-After', () => {
  const two = (min: number, max: number) =>
    fc.integer({ min, max }).map((number) => String(number).padStart(2, '0'));
  const days = fc.constantFrom('Thu', 'Fri', 'Thursday', 'thu', '');
  const months = fc.constantFrom('Jan', 'Feb', 'Dec', '01', '');
  const zones = fc.constantFrom('GMT', 'UTC', '+0200', 'EST', 'Z', '');
  const gaps = fc.constantFrom(' ', ' ', '-', '');
  const years = fc.integer({ min: 0, max: 9_999 }).map((year) => String(year).padStart(4, '0'));
  const dates = fc
    .tuple(days, fc.constantFrom(', ', ' '), two(0, 32), gaps, months, gaps, years, two(0, 25), zones)
    .map(([day, comma, date, gap, month, other, year, hour, zone]) =>
      `${day}${comma}${date}${gap}${month}${other}${year} ${hour}:30:00 ${zone}`.trimEnd(),
    );
  const HTTP_DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

  it('J6: is seconds or a date of HTTP, and nothing else that a date parser would take', () => {
    let accepted = 0;
    fc.assert(
      fc.property(dates, (text) => {
        const waitMs = parseRetryAfter(text, NOW);
        if (waitMs === undefined) return;
        accepted += 1;
        expect(text).toMatch(HTTP_DATE);
        expect(waitMs).toBe(Math.max(0, Date.parse(text) - NOW.getTime()));
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(10);
  });

  it('J6: takes back what a server wrote, in seconds and in each form of date', () => {
    const seconds = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(seconds, (wait) => {
        const at = new Date(NOW.getTime() + wait * 1_000);
        expect(parseRetryAfter(String(wait), NOW)).toBe(wait * 1_000);
        expect(parseRetryAfter(at.toUTCString(), NOW)).toBe(wait * 1_000);
      }),
    );
    for (const form of ['Thursday, 01-Jan-26 00:01:00 GMT', 'Thu Jan  1 00:01:00 2026']) {
      expect(parseRetryAfter(form, NOW)).toBe(60_000);
    }
  });

  it.each([
    '-1',
    '+1',
    '1e3',
    '0x10',
    '1_000',
    '1,000',
    '١٢',
    '１２',
    '30, 60',
    '30s',
    'Infinity',
    'NaN',
    'null',
    '9'.repeat(16),
    'Thu, 01 Jan 2026',
    'Thu, 1 Jan 2026 00:01:00 GMT',
    'Thu, 01 Jan 2026 00:01:00 +0200',
    'Thu, 01 Jan 2026 00:01:00',
    'Thu, 01 Jan 2026 25:00:00 GMT',
    'Thu, 01 Foo 2026 00:01:00 GMT',
    'Thu, 01 Jan 2026 00:01:00 GMT (now)',
    'Thu, 99999999999999',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    '2026-01-01T00:01:00Z',
    '1 Jan 2026',
  ])('J6: does not believe %j', (text) => {
    expect(parseRetryAfter(text, NOW)).toBeUndefined();
  });
});

describe('a token answer', () => {
  const odd = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a', 'ntn_a\r\n', 'ntn a', 'ntn_Ā', '', '\u0000', 'x'.repeat(8_192), 'x'.repeat(8_193)),
    fc.jsonValue(),
  );
  const fields = fc.constantFrom(
    ...['access_token', 'refresh_token', 'token_type', 'expires_in', 'request_id', 'bot_id', 'workspace_id'],
    ...['workspace_name', 'owner', 'duplicated_template_id', '__proto__', 'constructor', 'toString'],
  );
  const bodies = fc
    .tuple(fc.dictionary(fields, odd, { maxKeys: 4, noNullPrototype: true }), fc.boolean())
    .map(([changes, isBased]) => json(JSON.stringify(isBased ? { ...ANSWER, ...changes } : changes)));

  it('G4: is believed only with tokens that a header bears, and says nothing that a row cannot hold', () => {
    let believed = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = parseTokens(body);
        if (parsed !== null) {
          believed += 1;
          const { accessToken, refreshToken, expiresInMs } = parsed.pair;
          const texts = [accessToken.reveal(), refreshToken?.reveal() ?? 'none', parsed.requestId ?? 'none'];
          expect(texts.filter((text) => !VISIBLE.test(text) || text.length > 8_192)).toEqual([]);
          expect(expiresInMs === null || expiresInMs > 0).toBe(true);
          expect(Object.hasOwn(body as object, 'access_token')).toBe(true);
        }
        const grant = parseGrant(body);
        const ids = [grant?.botId, grant?.workspaceId, grant?.ownerUserId, grant?.duplicatedTemplateId];
        const wrong = ids.filter((id) => typeof id === 'string' && (!VISIBLE.test(id) || id.length > 128));
        expect(wrong).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
    expect(believed).toBeGreaterThan(300);
  });

  it('G4: is no answer by what it inherits', () => {
    for (const body of [{ __proto__: ANSWER }, JSON.parse(`{"__proto__":${JSON.stringify(ANSWER)}}`)]) {
      const own = json(JSON.stringify(body));
      expect([parseTokens(own), parseGrant(own)]).toEqual([null, null]);
    }
  });

  it('is not lost for odd fields beside the tokens', () => {
    const beside = [
      'expires_in',
      'request_id',
      'bot_id',
      'workspace_name',
      'owner',
      '__proto__',
      'constructor',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...beside), fc.jsonValue(), (field, value) => {
        const body = json(
          `{${JSON.stringify(field)}:${JSON.stringify(value)},${JSON.stringify(ANSWER).slice(1)}`,
        );
        expect(parseTokens(body)?.pair.refreshToken?.reveal()).toBe('nrt_refresh');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an OAuth error', () => {
  it('is dead only with invalid_grant in its own words, whatever else the body holds', () => {
    const codes = fc.constantFrom(
      'invalid_grant',
      'Invalid_Grant',
      ' invalid_grant',
      'invalid_client',
      '',
      null,
    );
    const names = fc.constantFrom('error', 'code', 'error_description', 'message', '__proto__', 'Error');
    const values = fc.oneof(
      codes,
      codes.map((code) => [code]),
      codes.map((code) => ({ error: code, code })),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(names, values), { maxLength: 4 }),
        fc.integer({ min: 100, max: 599 }),
        (given, status) => {
          const pairs = given.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
          const body = json(`{${pairs.join(',')}}`) as { error?: unknown; code?: unknown };
          const verdict = classifyRefusal(status, parseOAuthError(body).code);
          const isSaid = body.error === 'invalid_grant' || body.code === 'invalid_grant';
          if (verdict === 'dead') expect([isSaid, status >= 400 && status < 500]).toEqual([true, true]);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('an answer of the API', () => {
  it("G7: is a refusal of the token only with 401 and Notion's own code at the top of a JSON object", () => {
    const code = fc.constantFrom(
      'unauthorized',
      'Unauthorized',
      'unauthorized ',
      'restricted_resource',
      null,
    );
    const bodies = fc.oneof(
      code.map((given) => JSON.stringify({ object: 'error', code: given })),
      code.map((given) => JSON.stringify([{ code: given }])),
      code.map((given) => JSON.stringify({ error: { code: given } })),
      code.map((given) => `{"__proto__":{"code":${JSON.stringify(given)}}}`),
      code.map((given) => `\ufeff{"code":${JSON.stringify(given)}}`),
      code.map((given) => `{"code":${JSON.stringify(given)}`),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(bodies, fc.constantFrom(200, 400, 401, 403, 407), (text, status) => {
        if (!isTokenRefusal({ ...answer(text), status })) return;
        const body = json(text) as object;
        expect([status, Object.hasOwn(body, 'code'), (body as { code: unknown }).code]).toEqual([
          401,
          true,
          'unauthorized',
        ]);
      }),
      { numRuns: 5_000 },
    );
  });
});
