import { randomBytes } from 'node:crypto';
import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { developmentKeyFile, type DevelopmentKeySource } from './development-key.js';
import { judgeEncryptionKeys, KEY_BYTES } from './encryption-key.rules.js';
import { errorCodeOf } from './notion-auth.env.js';
import type { EncryptionKey, NotionAuthConfig, GatheredOptions } from './notion-auth.options.js';

/** Ids of keys that one process made for itself. */
export const EPHEMERAL_KEY_PREFIX = 'ephemeral-';

/** SQLite's name for a database that ends with its process. */
const IN_MEMORY = ':memory:';

/** A ring holds the key that seals and the few before it; each is compared with each. */
const MAX_ENTRIES = 100;

const HOW_TO_MAKE = `make one with echo "k1:$(openssl rand -base64 32)", or with generateEncryptionKey('k1')`;

/** What decides whether a key of this process alone will do. */
interface KeyDemand {
  readonly production: boolean;
  /** Other processes can open the same database, and would find what they cannot decrypt. */
  readonly isShared: boolean;
  readonly databaseFile: string;
  /** `undefined` leaves the file system alone. */
  readonly developmentKey: DevelopmentKeySource | undefined;
}

/**
 * The key ring. Without one, for development with embedded SQLite: a key in a file beside the database, or a key of this
 * process alone where the database is in memory too.
 */
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
  if (entries.length === 0) return [keyWithoutOption(demand, findings)];
  if (entries.length > MAX_ENTRIES) {
    findings.problem('encryptionKeys', `has more than ${MAX_ENTRIES} entries`);
    return [ephemeralKey()];
  }
  const { keys, problems } = judgeEncryptionKeys(entries);
  findings.add('encryptionKeys', { problems, warnings: [] });
  const [sealing = ephemeralKey(), ...others] = keys;
  return [sealing, ...others];
}

function keyWithoutOption(demand: KeyDemand, findings: ConfigFindings): EncryptionKey {
  const { production, isShared, databaseFile, developmentKey } = demand;
  if (production || isShared) reportMissing(demand, findings);
  else if (developmentKey !== undefined && databaseFile !== IN_MEMORY)
    return keyFromFile(databaseFile, developmentKey, findings) ?? ephemeralKey();
  else findings.warning('encryptionKeys', 'none given; stored secrets will not survive a restart');
  return ephemeralKey();
}

/** Keys kept beside what they encrypt protect no backup: this is for development, and every start says so. */
function keyFromFile(
  databaseFile: string,
  developmentKey: DevelopmentKeySource,
  findings: ConfigFindings,
): EncryptionKey | null {
  const file = developmentKeyFile(databaseFile);
  let entries: ReturnType<DevelopmentKeySource>;
  try {
    entries = developmentKey(file);
  } catch (error) {
    findings.problem(
      'encryptionKeys',
      `none given, and the development key file ${file} cannot be made or read (${errorCodeOf(error)}); give the user of the application access to it, or set the keys`,
    );
    return null;
  }
  if (entries === null) {
    findings.warning('encryptionKeys', `none given; the application makes a development key in ${file}`);
    return null;
  }
  const { keys, problems } = judgeEncryptionKeys(entries);
  if (keys[0] === undefined || problems.length > 0) {
    findings.problem(
      'encryptionKeys',
      `none given, and the development key file ${file} holds no usable key; restore it, or delete it together with ${databaseFile} to begin again`,
    );
    return null;
  }
  findings.warning(
    'encryptionKeys',
    `none given; the development key in ${file} is used. Keep this file: without it the stored tokens cannot be decrypted. Before production, ${HOW_TO_MAKE}, and set NOTION_AUTH_ENCRYPTION_KEYS to it; to keep this database, add the line of ${file} after it`,
  );
  return keys[0];
}

function reportMissing({ production }: KeyDemand, findings: ConfigFindings): void {
  if (production) findings.problem('encryptionKeys', `are required in production; ${HOW_TO_MAKE}`);
  else
    findings.problem(
      'encryptionKeys',
      `are required with a database that other processes share; ${HOW_TO_MAKE}`,
    );
}

/** The id is random too: after a restart the old envelopes name a key that is missing, not one that is wrong. */
function ephemeralKey(): EncryptionKey {
  return {
    id: `${EPHEMERAL_KEY_PREFIX}${randomBytes(6).toString('hex')}`,
    key: new Secret(randomBytes(KEY_BYTES).toString('base64')),
  };
}
