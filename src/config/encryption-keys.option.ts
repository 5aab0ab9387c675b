import { randomBytes } from 'node:crypto';
import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { judgeEncryptionKeys, KEY_BYTES } from './encryption-key.rules.js';
import type { EncryptionKey, NotionAuthConfig, GatheredOptions } from './notion-auth.options.js';

/** Ids of keys that one process made for itself. */
export const EPHEMERAL_KEY_PREFIX = 'ephemeral-';

/** A ring holds the key that seals and the few before it; each is compared with each. */
const MAX_ENTRIES = 100;

/** The key ring; without one outside production, a key of this process alone. */
export function readEncryptionKeys(
  options: Partial<GatheredOptions>,
  production: boolean,
  findings: ConfigFindings,
): NotionAuthConfig['encryptionKeys'] {
  const entries: unknown = options.encryptionKeys ?? [];
  if (!Array.isArray(entries)) {
    findings.problem('encryptionKeys', 'must be a list of { id, key }');
    return [ephemeralKey()];
  }
  if (entries.length === 0) {
    reportMissing(production, findings);
    return [ephemeralKey()];
  }
  if (entries.length > MAX_ENTRIES) {
    findings.problem('encryptionKeys', `has more than ${MAX_ENTRIES} entries`);
    return [ephemeralKey()];
  }
  const { keys, problems } = judgeEncryptionKeys(entries);
  findings.add('encryptionKeys', { problems, warnings: [] });
  const [sealing = ephemeralKey(), ...others] = keys;
  return [sealing, ...others];
}

function reportMissing(production: boolean, findings: ConfigFindings): void {
  if (production) findings.problem('encryptionKeys', 'are required in production');
  else findings.warning('encryptionKeys', 'none given; stored secrets will not survive a restart');
}

/** The id is random too: after a restart the old envelopes name a key that is missing, not one that is wrong. */
function ephemeralKey(): EncryptionKey {
  return {
    id: `${EPHEMERAL_KEY_PREFIX}${randomBytes(6).toString('hex')}`,
    key: new Secret(randomBytes(KEY_BYTES).toString('base64')),
  };
}
