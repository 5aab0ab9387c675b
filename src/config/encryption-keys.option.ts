import { randomBytes } from 'node:crypto';
import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { judgeEncryptionKeys, KEY_BYTES } from './encryption-key.rules.js';
import type { EncryptionKey, NotionAuthConfig, GatheredOptions } from './notion-auth.options.js';

/** Ids of keys that one process made for itself. */
export const EPHEMERAL_KEY_PREFIX = 'ephemeral-';

/** A ring holds the key that seals and the few before it; each is compared with each. */
const MAX_ENTRIES = 100;

const HOW_TO_MAKE = `make one with echo "k1:$(openssl rand -base64 32)", or with generateEncryptionKey('k1')`;

/** What decides whether a key of this process alone will do. */
interface KeyDemand {
  readonly production: boolean;
  /** Other processes can open the same database, and would find what they cannot decrypt. */
  readonly isShared: boolean;
}

/** The key ring; without one, a key of this process alone, for development with embedded SQLite. */
export function readEncryptionKeys(
  options: Partial<GatheredOptions>,
  demand: KeyDemand,
  findings: ConfigFindings,
): NotionAuthConfig['encryptionKeys'] {
  const entries: unknown = options.encryptionKeys ?? [];
  if (!Array.isArray(entries)) {
    findings.problem('encryptionKeys', 'must be a list of { id, key }');
    return [ephemeralKey()];
  }
  if (entries.length === 0) {
    reportMissing(demand, findings);
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

function reportMissing({ production, isShared }: KeyDemand, findings: ConfigFindings): void {
  if (production) findings.problem('encryptionKeys', `are required in production; ${HOW_TO_MAKE}`);
  else if (isShared)
    findings.problem(
      'encryptionKeys',
      `are required with a database that other processes share; ${HOW_TO_MAKE}`,
    );
  else findings.warning('encryptionKeys', 'none given; stored secrets will not survive a restart');
}

/** The id is random too: after a restart the old envelopes name a key that is missing, not one that is wrong. */
function ephemeralKey(): EncryptionKey {
  return {
    id: `${EPHEMERAL_KEY_PREFIX}${randomBytes(6).toString('hex')}`,
    key: new Secret(randomBytes(KEY_BYTES).toString('base64')),
  };
}
