import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { decodeBase64, judgeEncryptionKeys } from '../src/config/encryption-key.rules.js';
import type { NotionAuthConfig } from '../src/config/notion-auth.options.js';
import { optionsFromEnvironment } from '../src/config/notion-auth.env.js';
import { judgeRedirectUri } from '../src/config/redirect-uri.js';
import { otherHost, selectRedirectUri } from '../src/config/redirect-uri.selection.js';
import { resolveConfig } from '../src/config/resolve-config.js';
import { BrowserBinding } from '../src/connect/browser-binding.js';
import { parseCallbackQuery } from '../src/connect/callback-query.js';
import { rawQueryOf } from '../src/connect/connect-request.js';
import { openRecord, parseRecord } from '../src/journal/journal-record.js';
import { logLine } from '../src/logging/log-line.js';
import { maskedText } from '../src/logging/masked-text.js';
import { returnToWith, safeReturnTo } from '../src/connect/return-to.js';
import { parseWebhookMessage } from '../src/webhooks/webhook-event.js';
import { isSignedWith, parseSignature } from '../src/webhooks/webhook-signature.js';
import { NotionAuthError, NotionCallbackRefusedError, NotionConfigError } from '../src/domain/errors.js';
import { Secret } from '../src/domain/secret.js';
import type { SealContext } from '../src/domain/token-cipher.js';
import { KeyRingCipher } from '../src/encryption/key-ring.cipher.js';
import { leastTimeOf } from './support/least-time.js';

const MIB = 2 ** 20;
const LIMIT_MS = 50;
const STATE = 'S'.repeat(43);
const POLICY = { production: false, allowInsecure: false };
const REDIRECT_URIS = ['https://app.example/cb', 'http://localhost:3000/cb'] as const;
const browsers = new BrowserBinding({
  redirectUris: [REDIRECT_URIS[0]],
  connect: { stateLifetimeMs: 600_000 },
} as unknown as NotionAuthConfig);

const cipher = new KeyRingCipher({
  encryptionKeys: [{ id: 'k1', key: new Secret(randomBytes(32).toString('base64')) }],
});
const SEALED_FOR: SealContext = {
  table: 'notion_authorization',
  column: 'sealed_refresh_token',
  rowId: 'row-1',
  clientId: 'client-1',
  version: 1,
};

const VARIABLES = [
  'NOTION_CLIENT_ID',
  'NOTION_CLIENT_SECRET',
  'NOTION_CLIENT_SECRET_NEXT',
  'NOTION_REDIRECT_URIS',
  'NOTION_AUTH_PUBLIC_BASE_PATH',
  'NOTION_AUTH_ENCRYPTION_KEYS',
  'NOTION_API_BASE_URL',
  'NOTION_ISSUER',
  'NOTION_VERSION',
  'NOTION_AUTH_DATABASE_URL',
  'NOTION_AUTH_PROXY',
  'NOTION_AUTH_JOURNAL_DIR',
  'NOTION_WEBHOOK_VERIFICATION_TOKENS',
];

/** Everything at the entry that reads what somebody else wrote. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a redirect URI': (text) => judgeRedirectUri(text, POLICY),
  returnTo: (text) => safeReturnTo(text, '/home'),
  'a returnTo to another origin': (text) => safeReturnTo(text, '/home', ['https://front.example']),
  'a returnTo kept earlier': (text) => returnToWith(safeReturnTo(text, '/home'), 'denied'),
  'the query of a request': (text) => parseCallbackQuery(rawQueryOf({ url: text, headers: {} })),
  'a callback query': (text) => parseCallbackQuery(text),
  'a code': (text) => parseCallbackQuery(`state=${STATE}&code=${text}`),
  'a Cookie header': (text) => [browsers.recognise(text), browsers.bind(text, REDIRECT_URIS[0])],
  'a Host header': (text) => [selectRedirectUri(REDIRECT_URIS, text), otherHost(REDIRECT_URIS[0], text)],
  'a cookie': (text) => browsers.recognise(`__Host-notion-auth=${text}`),
  'a webhook signature': (text) => [parseSignature(text), parseSignature(`sha256=${text}`)],
  'a webhook body': (text) => parseWebhookMessage(Buffer.from(text).subarray(0, MIB)),
  'a webhook event': (text) =>
    parseWebhookMessage(
      Buffer.from(`{"id":"e","type":"t","workspace_id":"w","data":${text}}`).subarray(0, MIB),
    ),
  'an envelope': (text) => cipher.open(text, SEALED_FOR),
  'the body of an envelope': (text) => cipher.open(`v1.k1.${text}`, SEALED_FOR),
  'a record of the journal': (text) => {
    const record = parseRecord(Buffer.from(text).subarray(0, MIB));
    return record && openRecord(record, 'client-1', cipher);
  },
  'a text before it is logged': (text) => maskedText(text),
  'a secret before it is logged': (text) => maskedText(`access_token="${text.slice(0, 16_000)}"`),
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
        const tookMs = leastTimeOf(() => read(parser, text), LIMIT_MS);
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

describe('a webhook signature', () => {
  const token = new Secret('secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl');
  const right = (body: Uint8Array) => createHmac('sha256', token.reveal()).update(body).digest('hex');

  it('H2, H3: counts as the right 64 digits behind its prefix, and as nothing else that a header can be', () => {
    const bodies = fc.uint8Array({ maxLength: 64 });
    const forms = fc.constantFrom<(digits: string) => unknown>(
      (digits) => `sha256=${digits}`,
      (digits) => `sha256=${digits.toUpperCase()}`,
      (digits) => `SHA256=${digits}`,
      (digits) => `sha256= ${digits}`,
      (digits) => `sha256=${digits} `,
      (digits) => `sha256=${digits}\n`,
      (digits) => `sha256=${digits}, sha256=${digits}`,
      (digits) => `sha1=${digits.slice(0, 40)}`,
      (digits) => digits,
      (digits) => `sha256=${digits.slice(1)}`,
      (digits) => `sha256=0${digits}`,
      (digits) => `sha256=${Buffer.from(digits, 'hex').toString('base64')}`,
      (digits) => [`sha256=${digits}`],
      (digits) => ({ toString: () => `sha256=${digits}` }),
      (digits) => Buffer.from(`sha256=${digits}`),
    );
    const spoil = fc.constantFrom(...['', '0', 'f', 'g', '１'], '\u0000');
    fc.assert(
      fc.property(bodies, forms, fc.nat(63), spoil, (body, form, at, digit) => {
        const digits = right(body);
        const changed = digit === '' ? digits : digits.slice(0, at) + digit + digits.slice(at + 1);
        const header = form(changed);
        const signature = parseSignature(header);
        const counts = signature !== null && isSignedWith(token, body, signature);
        const isRight =
          typeof header === 'string' && /^sha256=[\da-f]{64}$/i.test(header) && header.startsWith('s');
        expect(counts).toBe(isRight && header.slice(7).toLowerCase() === digits);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.anything(), bodies, (header, body) => {
        const signature = parseSignature(header);
        expect(signature === null || !isSignedWith(token, body, signature)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an envelope', () => {
  it('E3: opens as it was written, and with no letter added, taken away or changed', () => {
    const envelope = cipher.seal(new Secret('nrt_canary'), SEALED_FOR);
    const letter = fc.constantFrom(...'Aa9-_.=+/ \n\u0000üv1k'.split(''));
    const edits = fc.array(fc.tuple(fc.nat(envelope.length), fc.nat(2), letter), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(edits, (made) => {
        const text = made.reduce(
          (changed, [at, removed, added]) => changed.slice(0, at) + added + changed.slice(at + removed),
          envelope,
        );
        const opened = read((sealed) => cipher.open(sealed, SEALED_FOR), text);
        expect(opened instanceof Secret).toBe(text === envelope);
      }),
      { numRuns: 3_000 },
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
