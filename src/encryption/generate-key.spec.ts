import { judgeEncryptionKeys } from '../config/encryption-key.rules.js';
import { generateEncryptionKey } from './generate-key.js';

it('makes keys that the key ring takes, a different one each time', () => {
  const texts = Array.from({ length: 200 }, (_, index) => generateEncryptionKey(`k${index}`));
  const entries = texts.map((text) => {
    const [id, key] = text.split(':');
    return { id, key };
  });
  expect(judgeEncryptionKeys(entries).problems).toEqual([]);
});

it.each(['', 'a:b', 'x'.repeat(33), 'ü'])('refuses the id %j', (id) => {
  expect(() => generateEncryptionKey(id)).toThrow(RangeError);
  expect(() => generateEncryptionKey(id)).toThrow(/^This encryption key cannot be used: .+\.$/);
});

it('calls the first key k1', () => {
  expect(generateEncryptionKey()).toMatch(/^k1:/);
});
