import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generateEncryptionKey } from 'nestjs-notion-auth';
import { isGiven, type Environment } from './environment.js';

export const DEVELOPMENT_KEY_FILE = './data/dev-encryption-keys';

/** `made`: just now; `kept`: from an earlier start; `not_needed`: keys are configured, or must be. */
export type DevelopmentKey = 'made' | 'kept' | 'not_needed';

/** Stored tokens are sealed even here. In production nobody makes keys for you, and the library refuses to start. */
export function provideDevelopmentKey(environment: Environment): DevelopmentKey {
  if (isGiven(environment, 'NOTION_AUTH_ENCRYPTION_KEYS') || environment['NODE_ENV'] === 'production') {
    return 'not_needed';
  }
  environment['NOTION_AUTH_ENCRYPTION_KEYS_FILE'] = DEVELOPMENT_KEY_FILE;
  mkdirSync(dirname(DEVELOPMENT_KEY_FILE), { recursive: true });
  try {
    writeFileSync(DEVELOPMENT_KEY_FILE, `${generateEncryptionKey('dev')}\n`, { flag: 'wx', mode: 0o600 });
    return 'made';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return 'kept';
    throw error;
  }
}
