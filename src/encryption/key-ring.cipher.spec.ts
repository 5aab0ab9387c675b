import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { EncryptionKey } from '../config/notion-auth.options.js';
import { NotionKeyError } from '../domain/errors.js';
import { NoMetrics } from '../domain/notion-metrics.js';
import { Secret } from '../domain/secret.js';
import type { SealContext } from '../domain/token-cipher.js';
import { KeyRingCipher } from './key-ring.cipher.js';

const CANARY = 'ntn_canary-token';
const K1 = freshKey('k1');
const K2 = freshKey('k2');
const CONTEXT: SealContext = {
  table: 'notion_authorization',
  column: 'sealed_refresh_token',
  rowId: 'row-1',
  clientId: 'client-1',
  version: 3,
};

function freshKey(id: string): EncryptionKey {
  return { id, key: new Secret(randomBytes(32).toString('base64')) };
}

function cipherOf(...encryptionKeys: [EncryptionKey, ...EncryptionKey[]]): KeyRingCipher {
  return new KeyRingCipher({ encryptionKeys });
}

function failureOf(open: () => unknown): NotionKeyError {
  try {
    open();
  } catch (error) {
    if (error instanceof NotionKeyError) return error;
    throw error;
  }
  throw new Error('it opened');
}

describe('a sealed secret', () => {
  const cipher = cipherOf(K1);

  it('opens to what was sealed, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(cipher.open(cipher.seal(new Secret(text), CONTEXT), CONTEXT).reveal()).toBe(text);
      }),
    );
  });

  it('holds a token of 8 KiB', () => {
    const token = new Secret('t'.repeat(8 * 1024));
    expect(cipher.open(cipher.seal(token, CONTEXT), CONTEXT).equals(token)).toBe(true);
  });

  it('is no longer than what is ever opened, whose length is looked at first', () => {
    const longest = new Secret('t'.repeat(196_559));
    const envelope = cipher.seal(longest, CONTEXT);
    expect(envelope).toHaveLength(2 ** 18);
    expect(cipher.open(envelope, CONTEXT).equals(longest)).toBe(true);
    expect(() => cipher.seal(new Secret('t'.repeat(196_560)), CONTEXT)).toThrow(
      new RangeError('This is too long to be sealed.'),
    );
    expect(failureOf(() => cipher.open(`v1.k1.${'A'.repeat(262_139)}`, CONTEXT)).failure).toBe(
      'damaged_envelope',
    );
  });

  it('E1: carries the format version and the key id, and salt, nonce and tag beside the ciphertext', () => {
    const [format, keyId, body] = cipher.seal(new Secret(CANARY), CONTEXT).split('.');
    expect([format, keyId]).toEqual(['v1', 'k1']);
    expect(Buffer.from(body!, 'base64url')).toHaveLength(16 + 12 + CANARY.length + 16);
  });

  it('E1: never repeats a nonce in 100,000 envelopes, and looks different each time', () => {
    const envelopes = Array.from({ length: 100_000 }, () => cipher.seal(new Secret(CANARY), CONTEXT));
    const nonces = envelopes.map((text) =>
      Buffer.from(text.split('.')[2]!, 'base64url').toString('hex', 16, 28),
    );
    expect(new Set(nonces).size).toBe(envelopes.length);
    expect(new Set(envelopes).size).toBe(envelopes.length);
  });

  it.each<[string, Partial<SealContext>]>([
    ['table', { table: 'notion_oauth_state' }],
    ['column', { column: 'sealed_access_token' }],
    ['row', { rowId: 'row-2' }],
    ['client', { clientId: 'client-2' }],
    ['version', { version: 2 }],
    ['boundary between two fields', { rowId: 'row-', clientId: '1client-1' }],
    ['boundary written as JSON', { rowId: 'row-1","client-1', clientId: '' }],
  ])('E2: does not open for another %s', (_, difference) => {
    const envelope = cipher.seal(new Secret(CANARY), CONTEXT);
    const error = failureOf(() => cipher.open(envelope, { ...CONTEXT, ...difference }));
    expect([error.failure, error.keyId]).toEqual(['decrypt_failed', 'k1']);
  });

  it('E3: does not open with any single bit flipped', () => {
    const envelope = Buffer.from(cipher.seal(new Secret(CANARY), CONTEXT), 'latin1');
    for (let bit = 0; bit < envelope.length * 8; bit++) {
      const flipped = Buffer.from(envelope);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const error = failureOf(() => cipher.open(flipped.toString('latin1'), CONTEXT));
      expect(inspect(error) + JSON.stringify(error)).not.toContain(CANARY);
    }
  });

  it('E3: does not open with any single bit of its bytes flipped', () => {
    const [format, keyId, body] = cipher.seal(new Secret(CANARY), CONTEXT).split('.');
    const sealed = Buffer.from(body!, 'base64url');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const text = `${format}.${keyId}.${flipped.toString('base64url')}`;
      expect(failureOf(() => cipher.open(text, CONTEXT)).failure).toBe('decrypt_failed');
    }
  });

  it('does not open with its spare bits at the end set, though they decode to the same bytes', () => {
    // 61 bytes: the last two characters hold one of them and four spare bits.
    const envelope = cipher.seal(new Secret('17 bytes of text!'), CONTEXT);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const opened = Array.from({ length: 64 }, (_, index) => alphabet.charAt(index)).filter((last) => {
      try {
        return cipher.open(envelope.slice(0, -1) + last, CONTEXT).reveal() !== '';
      } catch {
        return false;
      }
    });
    expect(opened).toEqual([envelope.at(-1)]);
  });

  it('E3: answers any other text with a typed error that quotes none of it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `v1.k1.${text}`),
        ),
        (text) => {
          const error = failureOf(() => cipher.open(text, CONTEXT));
          expect(['damaged_envelope', 'decrypt_failed', 'unknown_key_id']).toContain(error.failure);
          expect(error.cause).toBeUndefined();
        },
      ),
    );
  });

  it.each(['', 'v1', 'v1.k1.', 'v1.k1.AAAA', 'v2.k1.' + 'A'.repeat(80), 'v1.k1.' + '='.repeat(80), CANARY])(
    'calls %j damaged, without naming a key',
    (text) => {
      const error = failureOf(() => cipher.open(text, CONTEXT));
      expect([error.failure, error.keyId]).toEqual(['damaged_envelope', null]);
      expect(error.message).not.toContain(CANARY);
    },
  );
});

describe('what an earlier process wrote', () => {
  const key = new Secret('dzpPopuI4/KNx+qnj3WNpMLS2v0Vek+qyopYqciI7cE=');
  const earlier = () => cipherOf({ id: 'k1', key });
  const text = 'nrt_of-the-first-version-ü';

  it('opens as it did, whatever is changed here: rows of the first version stay readable', () => {
    const envelope =
      'v1.k1.TOJ9hDG_rkBqXnphrRxJp4bwluPNC7O2wpMO1s_kbVvICJ0duk7z6KPwMASjYyTwCPdkeyB0Lcwmn3yOcL7w94Ewmn_CXKA';
    expect(earlier().open(envelope, CONTEXT).reveal()).toBe(text);
  });

  it('is recognised by its fingerprint as it was', () => {
    const fingerprint = 'fSjsK87_YsE7LY-zYNnoAACFRTyaNaCi3Fyvz566Ti8';
    expect(earlier().fingerprint(new Secret(text))).toBe(fingerprint);
    expect(earlier().recognises(new Secret(text), fingerprint)).toBe(true);
  });
});

describe('the key ring', () => {
  it('E5: counts what does not open by the reason, and nothing that opens', () => {
    const counted: unknown[] = [];
    const count = (...one: unknown[]): void => void counted.push(one);
    const metrics = Object.assign(new NoMetrics(), { count });
    const cipher = new KeyRingCipher({ encryptionKeys: [K1] }, metrics);
    const envelope = cipher.seal(new Secret(CANARY), CONTEXT);
    cipher.open(envelope, CONTEXT);
    failureOf(() => cipher.open(envelope, { ...CONTEXT, version: 4 }));
    failureOf(() => cipher.open('damaged', CONTEXT));
    failureOf(() => cipher.open(cipherOf(K2).seal(new Secret(CANARY), CONTEXT), CONTEXT));
    expect(counted).toEqual(
      ['decrypt_failed', 'damaged_envelope', 'unknown_key_id'].map((reason) => [
        'notion_auth_decrypt_failures_total',
        { reason },
      ]),
    );
  });

  it('knows its keys by their ids, the one that seals first', () => {
    expect(cipherOf(K2, K1).keyIds).toEqual(['k2', 'k1']);
  });

  it('seals with its first key and opens with every one', () => {
    const before = cipherOf(K1).seal(new Secret(CANARY), CONTEXT);
    const rotated = cipherOf(K2, K1);
    expect(rotated.sealingKeyId).toBe('k2');
    expect(rotated.open(before, CONTEXT).reveal()).toBe(CANARY);
    expect(rotated.seal(new Secret(CANARY), CONTEXT)).toMatch(/^v1\.k2\./);
  });

  it('names the key it does not have', () => {
    const error = failureOf(() => cipherOf(K1).open(cipherOf(K2).seal(new Secret(CANARY), CONTEXT), CONTEXT));
    expect([error.failure, error.keyId]).toEqual(['unknown_key_id', 'k2']);
  });

  it('tells another key under the same id from its own', () => {
    const envelope = cipherOf(freshKey('k1')).seal(new Secret(CANARY), CONTEXT);
    expect(failureOf(() => cipherOf(K1).open(envelope, CONTEXT)).failure).toBe('decrypt_failed');
  });

  it('does not open an envelope under the name of another of its keys', () => {
    const cipher = cipherOf(K1, K2);
    const renamed = cipher.seal(new Secret(CANARY), CONTEXT).replace('v1.k1.', 'v1.k2.');
    expect(failureOf(() => cipher.open(renamed, CONTEXT)).failure).toBe('decrypt_failed');
  });

  it('shows no key however it is printed', () => {
    const cipher = cipherOf(K1, K2);
    const printed = inspect(cipher, { depth: 10, showHidden: true }) + JSON.stringify(cipher);
    for (const { key } of [K1, K2]) {
      expect(printed).not.toContain(key.reveal());
      expect(printed).not.toContain(Buffer.from(key.reveal(), 'base64').toString('hex').slice(0, 8));
    }
  });
});

describe('a fingerprint', () => {
  it('is the same for the same secret and first key, whatever other keys there are', () => {
    const secret = new Secret(CANARY);
    expect(cipherOf(K1).fingerprint(secret)).toBe(cipherOf(K1, K2).fingerprint(new Secret(CANARY)));
  });

  it('is recognised by every ring that has its key, and by no other', () => {
    const secret = new Secret(CANARY);
    const fingerprint = cipherOf(K1).fingerprint(secret);
    expect(cipherOf(K2, K1).recognises(secret, fingerprint)).toBe(true);
    expect(cipherOf(K2).recognises(secret, fingerprint)).toBe(false);
    expect(cipherOf(K1).recognises(new Secret(`${CANARY} `), fingerprint)).toBe(false);
  });

  it('differs for another secret and for another first key', () => {
    const secret = new Secret(CANARY);
    const fingerprints = [
      cipherOf(K1).fingerprint(secret),
      cipherOf(K1).fingerprint(new Secret(`${CANARY} `)),
      cipherOf(K2).fingerprint(secret),
    ];
    expect(new Set(fingerprints).size).toBe(3);
  });
});
