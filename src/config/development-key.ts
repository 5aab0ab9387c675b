import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EncryptionKeyOption } from '../domain/key-provider.js';
import { KEY_BYTES } from './encryption-key.rules.js';
import { errorCodeOf, parseKeys } from './notion-auth.env.js';

/** Gives the keys in the file, or `null` when there is none. Throws what the file system throws. */
export type DevelopmentKeySource = (keyFile: string) => readonly EncryptionKeyOption[] | null;

/** Where the key of an embedded database is kept during development. */
export function developmentKeyFile(databaseFile: string): string {
  return `${databaseFile}.key`;
}

/** Looks, and makes nothing: for tools that only inspect. */
export const readDevelopmentKey: DevelopmentKeySource = (keyFile) => {
  try {
    return parseKeys(readFileSync(keyFile, 'utf8').trim());
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

/** Makes the file on the first start, readable by its user alone. */
export const provideDevelopmentKey: DevelopmentKeySource = (keyFile) => {
  mkdirSync(dirname(keyFile), { recursive: true });
  try {
    const key = randomBytes(KEY_BYTES).toString('base64');
    writeFileSync(keyFile, `development:${key}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
  }
  return readDevelopmentKey(keyFile);
};
