import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { decodeBase64, judgeEncryptionKeys } from './encryption-key.rules.js';

const GOOD = randomBytes(32).toString('base64');
const OTHER = randomBytes(32).toString('base64');
const encode = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64');
const problemsOf = (...entries: unknown[]) => judgeEncryptionKeys(entries).problems;

describe('judging encryption keys', () => {
  it('takes 32 random bytes in either base64, padded or not', () => {
    const urlSafe = Buffer.from(OTHER, 'base64').toString('base64url');
    const { keys, problems } = judgeEncryptionKeys([
      { id: 'k-1_A', key: GOOD },
      { id: 'k2', key: urlSafe },
      { id: 'k3', key: randomBytes(32).toString('base64').replace('=', '') },
    ]);
    expect(problems).toEqual([]);
    expect(keys[1]?.key.reveal()).toBe(OTHER);
  });

  it.each([
    ['31 bytes', encode(randomBytes(31)), '32 bytes in base64, not 31'],
    ['33 bytes', encode(randomBytes(33)), '32 bytes in base64, not 33'],
    ['hexadecimal', randomBytes(32).toString('hex'), 'hexadecimal'],
    ['nothing', '', '32 bytes in base64'],
    ['no string', 42, '32 bytes in base64'],
    ['stray characters', `${GOOD.slice(0, 40)}!!!=`, '32 bytes in base64'],
    ['inner whitespace', `${GOOD.slice(0, 20)} ${GOOD.slice(20)}`, '32 bytes in base64'],
    ['both alphabets', `+-${GOOD.slice(2)}`, '32 bytes in base64'],
    ['bits beyond the last byte', `${'A'.repeat(42)}B=`, '32 bytes in base64'],
    ['1 byte', encode(randomBytes(1)), '32 bytes in base64, not 1'],
    ['64 bytes', encode(randomBytes(64)), '32 bytes in base64, not 64'],
    ['hexadecimal of 31 bytes', randomBytes(31).toString('hex'), '32 bytes in base64'],
    ['a missing character', GOOD.slice(0, 42), '32 bytes in base64'],
    ['padding in the middle', `${GOOD.slice(0, 20)}=${GOOD.slice(21)}`, '32 bytes in base64'],
    ['three paddings', `${GOOD}==`, '32 bytes in base64'],
    ['a MiB', 'A'.repeat(2 ** 20), '32 bytes in base64'],
    ['ones', encode(Buffer.alloc(32, 0xff)), 'weak'],
    ['bytes that count', encode(Buffer.from(Array.from({ length: 32 }, (_, i) => i % 16))), 'weak'],
    [
      '16 bytes twice',
      encode(Buffer.concat(Array(2).fill(Buffer.from(GOOD, 'base64').subarray(0, 16)))),
      'weak',
    ],
    ['a UUID without hyphens', encode('0d9c5c7a4b6e4f0e9a7f3d2c1b0a9f8e'), 'weak'],
    ['base64 of base64', encode('c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0'), 'weak'],
    ['zeros', encode(Buffer.alloc(32)), 'weak'],
    ['a counted pattern', encode('0123456789abcdef'.repeat(2)), 'weak'],
    ['printable words', encode('correct horse battery staple 123'), 'weak'],
    ['printable text with many letters', encode('abcdefghijklmnopqrstuvwxyz012345'), 'weak'],
    [
      'a few bytes repeated',
      encode(Buffer.from(Array.from({ length: 32 }, (_, i) => 200 + (i % 19)))),
      'weak',
    ],
  ])('D4: refuses %s', (_, key, rule) => {
    const problems = problemsOf({ id: 'k1', key });
    expect(problems).toEqual([expect.stringContaining(rule)]);
    if (typeof key === 'string' && key !== '') expect(problems.join()).not.toContain(key);
  });

  it.each(['', 'a.b', 'a:b', 'ü', 'x'.repeat(33), ' k1', GOOD, undefined, 7])(
    'refuses the id %j unquoted',
    (id) => {
      const problems = problemsOf({ id, key: GOOD });
      expect(problems).toEqual([expect.stringMatching(/^entry 1: needs an id of 1 to 32/)]);
      expect(problems.join()).not.toContain(GOOD);
    },
  );

  it('D5: refuses an id given twice, and a key given under two ids, however it is written', () => {
    const urlSafe = Buffer.from(GOOD, 'base64').toString('base64url');
    expect(problemsOf({ id: 'a', key: GOOD }, { id: 'a', key: OTHER })).toEqual([
      'entry 2: has the same id as entry 1',
    ]);
    expect(problemsOf({ id: 'a', key: GOOD }, { id: 'b', key: urlSafe })).toEqual([
      'entry 2: is the same key as entry 1',
    ]);
  });

  it.each([null, undefined, 'k1:abc', 3, []])('reports the entry %j as one without id and key', (entry) => {
    expect(problemsOf(entry)).toHaveLength(2);
  });

  it('D4: calls no random key weak, and shows none', () => {
    for (let round = 0; round < 20_000; round++) {
      const judged = judgeEncryptionKeys([{ id: 'k1', key: randomBytes(32).toString('base64') }]);
      expect(judged.problems).toEqual([]);
      if (round < 100) expect(inspect(judged, { depth: 10, showHidden: true })).toContain('[secret]');
    }
  });

  it('D4: draws the line at 20 distinct bytes, and at one byte that no text has', () => {
    const repeated = (distinct: number) =>
      encode(Buffer.from(Array.from({ length: 32 }, (_, index) => 200 + (index % distinct))));
    expect(problemsOf({ id: 'k1', key: repeated(19) })).toHaveLength(1);
    expect(problemsOf({ id: 'k1', key: repeated(20) })).toEqual([]);
    for (const odd of [0x1f, 0x7f, 0x80, 0xff, 0x00]) {
      const words = Buffer.from('abcdefghijklmnopqrstuvwxyz012345');
      words[31] = odd;
      expect([odd, problemsOf({ id: 'k1', key: encode(words) })]).toEqual([odd, []]);
    }
    for (const printable of [0x20, 0x7e]) {
      const words = Buffer.from('abcdefghijklmnopqrstuvwxyz012345');
      words[31] = printable;
      expect(problemsOf({ id: 'k1', key: encode(words) })).toHaveLength(1);
    }
  });
});

describe('strict base64', () => {
  it('reads what Node writes, and writes back what it read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        expect(decodeBase64(encode(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
        expect(decodeBase64(Buffer.from(bytes).toString('base64url'))).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = decodeBase64(text);
        if (bytes === null) return;
        const written = [bytes.toString('base64'), bytes.toString('base64url')];
        expect(
          [...written, written[0]!.replaceAll('=', '')].some(
            (form) => text === form || text === padded(form),
          ),
        ).toBe(true);
      }),
    );
  });
});

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
