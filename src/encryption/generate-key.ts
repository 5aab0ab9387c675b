import { randomBytes } from 'node:crypto';
import { judgeEncryptionKeys, KEY_BYTES } from '../config/encryption-key.rules.js';

/** A fresh key as `NOTION_AUTH_ENCRYPTION_KEYS` takes it: `id:base64`. */
export function generateEncryptionKey(id = 'k1'): string {
  const key = randomBytes(KEY_BYTES).toString('base64');
  const [problem] = judgeEncryptionKeys([{ id, key }]).problems;
  if (problem !== undefined) throw new RangeError(`This encryption key cannot be used: ${problem}.`);
  return `${id}:${key}`;
}
