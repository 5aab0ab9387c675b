import fc from 'fast-check';
import { decodeBase64, judgeEncryptionKeys } from '../src/config/encryption-key.rules.js';
import type { NotionAuthConfig } from '../src/config/notion-auth.options.js';
import { optionsFromEnvironment } from '../src/config/notion-auth.env.js';
import { judgeRedirectUri } from '../src/config/redirect-uri.js';
import { resolveConfig } from '../src/config/resolve-config.js';
import { BrowserBinding } from '../src/connect/browser-binding.js';
import { parseCallbackQuery } from '../src/connect/callback-query.js';
import { rawQueryOf } from '../src/connect/connect-request.js';
import { logLine } from '../src/logging/log-line.js';
import { deniedReturnTo, safeReturnTo } from '../src/connect/return-to.js';
import { parseWebhookMessage } from '../src/webhooks/webhook-event.js';
import { parseSignature } from '../src/webhooks/webhook-signature.js';
import { NotionAuthError, NotionCallbackRefusedError, NotionConfigError } from '../src/domain/errors.js';

const MIB = 2 ** 20;
const LIMIT_MS = 50;
const STATE = 'S'.repeat(43);
const POLICY = { production: false, allowInsecure: false };
const browsers = new BrowserBinding({
  redirectUris: ['https://app.example/cb'],
  connect: { stateLifetimeMs: 600_000 },
} as unknown as NotionAuthConfig);

const VARIABLES = [
  'NOTION_CLIENT_ID',
  'NOTION_CLIENT_SECRET',
  'NOTION_CLIENT_SECRET_NEXT',
  'NOTION_REDIRECT_URIS',
  'NOTION_AUTH_ENCRYPTION_KEYS',
  'NOTION_API_BASE_URL',
  'NOTION_VERSION',
  'NOTION_AUTH_DATABASE_URL',
  'NOTION_AUTH_JOURNAL_DIR',
  'NOTION_WEBHOOK_VERIFICATION_TOKENS',
];

/** Everything at the entry that reads what somebody else wrote. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a redirect URI': (text) => judgeRedirectUri(text, POLICY),
  returnTo: (text) => safeReturnTo(text, '/home'),
  'a returnTo kept earlier': (text) => deniedReturnTo(safeReturnTo(text, '/home')),
  'the query of a request': (text) => parseCallbackQuery(rawQueryOf({ url: text, headers: {} })),
  'a callback query': (text) => parseCallbackQuery(text),
  'a code': (text) => parseCallbackQuery(`state=${STATE}&code=${text}`),
  'a Cookie header': (text) => [browsers.recognise(text), browsers.bind(text)],
  'a cookie': (text) => browsers.recognise(`__Host-notion-auth=${text}`),
  'a webhook signature': (text) => [parseSignature(text), parseSignature(`sha256=${text}`)],
  'a webhook body': (text) => parseWebhookMessage(Buffer.from(text).subarray(0, MIB)),
  'a webhook event': (text) =>
    parseWebhookMessage(
      Buffer.from(`{"id":"e","type":"t","workspace_id":"w","data":${text}}`).subarray(0, MIB),
    ),
  'a log line': (text) => logLine('event', { fact: text.slice(0, 1_000) }),
  'a key': (text) => [decodeBase64(text), judgeEncryptionKeys([{ id: text, key: text }])],
  ...Object.fromEntries(
    VARIABLES.map((name) => [
      name,
      (text: string) => resolveConfig(optionsFromEnvironment({ [name]: text }), {}),
    ]),
  ),
};

/** Runs a parser; a refusal in words of its own is an answer too. */
function read(parser: (text: string) => unknown, text: string): unknown {
  try {
    return parser(text);
  } catch (error) {
    if (error instanceof NotionAuthError) return error;
    throw error;
  }
}

const filled = (unit: string) => unit.repeat(Math.ceil(MIB / unit.length)).slice(0, MIB);

const ADVERSARIAL = [
  'a',
  '/',
  '\\',
  '.',
  '../',
  '%',
  '%2e',
  '%00',
  '%E0%A4%A',
  '+',
  '&',
  '=',
  '&=',
  ';',
  'code=',
  '&state=a',
  '[',
  'a[b]=c&',
  '__proto__[x]=1&',
  ',',
  ':',
  'k1:A,',
  '${',
  '{{',
  '<',
  '}',
  '-',
  ' ',
  '\t',
  '\u0000',
  '\r\n',
  'ü',
  '\u202e',
  '\ud83c\udfd4',
  '\ud83c',
  'https://',
  'https://a/',
  'https://a.b/c,',
  '@',
  'x.',
  '0',
  '"',
  'a=b; ',
  '__Host-notion-auth=a; ',
  'A=',
];

describe.each(Object.entries(PARSERS))('reading %s', (_name, parser) => {
  it(`J9: is over within ${String(LIMIT_MS)} ms for a MiB, whatever it is full of`, () => {
    const slow: string[] = [];
    for (const unit of ADVERSARIAL) {
      for (const text of [filled(unit), `/${filled(unit)}!`]) {
        // The machine may be busy with something else for a moment; what is slow is slow each time.
        let tookMs = Number.POSITIVE_INFINITY;
        for (let tries = 0; tries < 4 && tookMs > LIMIT_MS; tries += 1) {
          tookMs = Math.min(tookMs, timed(parser, text));
        }
        if (tookMs > LIMIT_MS) slow.push(`${JSON.stringify(unit)} ${tookMs.toFixed(0)} ms`);
      }
    }
    expect(slow).toEqual([]);
  }, 120_000);

  it('ends every text in an answer or in a typed error, and leaves every prototype as it was', () => {
    const pieces = fc.constantFrom(
      ...ADVERSARIAL,
      STATE,
      'error=access_denied',
      'constructor[prototype][x]=1',
      '__proto__.x=1',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
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

function timed(parser: (text: string) => unknown, text: string): number {
  const startedMs = performance.now();
  read(parser, text);
  return performance.now() - startedMs;
}

describe('a Cookie header', () => {
  it('A6: recognises a browser by nothing but 43 characters under our own name', () => {
    const name = fc.constantFrom(
      '__Host-notion-auth',
      'notion-auth',
      '__host-notion-auth',
      '__Host-notion-auth ',
      'x',
    );
    const value = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'B', '_', '-', '9', '=', '%41', '"', ' ', 'ü'), maxLength: 50 }),
      fc.string({ unit: fc.constantFrom('a', 'B', '_', '-', '9'), minLength: 43, maxLength: 43 }),
    );
    const header = fc.array(fc.tuple(name, value), { maxLength: 5 });
    fc.assert(
      fc.property(header, (cookies) => {
        const text = cookies.map(([key, given]) => `${key}=${given}`).join('; ');
        if (browsers.recognise(text) === null) return;
        const [, ours] = cookies.find(([key]) => key.trim() === '__Host-notion-auth')!;
        // A browser quotes or escapes what it likes; what is meant by it has our shape.
        expect(decodeURIComponent(ours.trim().replace(/^"(.*)"$/, '$1'))).toMatch(/^[A-Za-z0-9_-]{43}$/);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a callback query', () => {
  it('B5, B6: is accepted only with one code or error and one state, however it is written', () => {
    const encode = (text: string) =>
      fc.constantFrom(
        text,
        encodeURIComponent(text),
        Buffer.from(text).toString('hex').replaceAll(/../g, '%$&'),
      );
    const name = fc
      .constantFrom(
        'code',
        'state',
        'error',
        'iss',
        'x',
        'code[]',
        'state[0]',
        '__proto__[x]',
        'Code',
        ' state',
        'code.a',
      )
      .chain(encode);
    const value = fc.oneof(fc.constantFrom('', 'a', STATE, 'a b', '\u0000', 'ü'), fc.string()).chain(encode);
    const query = fc
      .array(fc.tuple(name, value), { maxLength: 6 })
      .map((pairs) => pairs.map(([n, v]) => `${n}=${v}`).join('&'));
    fc.assert(
      fc.property(query, (text) => {
        try {
          const accepted = parseCallbackQuery(text);
          const given = new URLSearchParams(text);
          expect(given.getAll('state')).toEqual([accepted.state]);
          expect(given.getAll('code').length).toBeLessThanOrEqual(1);
          if (accepted.kind === 'code') {
            expect(given.getAll('code')).toEqual([accepted.code.reveal()]);
            expect(given.getAll('error').join('')).toBe('');
          }
          expect([...given.keys()].filter((key) => key.includes('['))).toEqual([]);
        } catch (error) {
          if (!(error instanceof NotionCallbackRefusedError)) throw error;
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the environment', () => {
  it('D1: ends in a configuration or in a NotionConfigError that quotes nothing', () => {
    const value = fc.oneof(
      fc.string({ minLength: 12 }),
      fc
        .array(fc.constantFrom(...ADVERSARIAL), { minLength: 4, maxLength: 12 })
        .map((parts) => parts.join('')),
    );
    const environment = fc.dictionary(
      fc.constantFrom(...VARIABLES),
      value.map((text) => `Zanary~${text}`),
    );
    fc.assert(
      fc.property(environment, (variables) => {
        try {
          resolveConfig(optionsFromEnvironment(variables), {});
        } catch (error) {
          if (!(error instanceof NotionConfigError)) throw error;
          expect(error.message).not.toContain('Zanary~');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
