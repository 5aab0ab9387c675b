import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  NOTION_AUTH_CONFIG,
  type EncryptionKey,
  type NotionAuthConfig,
} from '../config/notion-auth.options.js';
import { NotionKeyError } from '../domain/errors.js';
import { NoMetrics, NotionMetrics } from '../domain/notion-metrics.js';
import { Secret } from '../domain/secret.js';
import { TokenCipher, type SealContext } from '../domain/token-cipher.js';
import { decrypt, encrypt } from './aes-gcm.js';
import { DerivedKeys } from './derived-keys.js';
import { formatEnvelope, FORMAT, parseEnvelope } from './envelope.js';

/** The first key of the ring seals, every key opens. */
@Injectable()
export class KeyRingCipher extends TokenCipher {
  readonly sealingKeyId: string;
  readonly #keys: ReadonlyMap<string, DerivedKeys>;
  readonly #sealingKeys: DerivedKeys;
  readonly #metrics: NotionMetrics;
  readonly #fingerprintKeys: ReadonlyMap<string, KeyObject>;

  constructor(
    @Inject(NOTION_AUTH_CONFIG) config: Pick<NotionAuthConfig, 'encryptionKeys'>,
    @Optional() metrics: NotionMetrics = new NoMetrics(),
  ) {
    super();
    this.#metrics = metrics;
    const [first] = config.encryptionKeys;
    this.sealingKeyId = first.id;
    this.#sealingKeys = new DerivedKeys(keyObject(first));
    this.#keys = new Map(
      config.encryptionKeys.map((key) => [
        key.id,
        key === first ? this.#sealingKeys : new DerivedKeys(keyObject(key)),
      ]),
    );
    this.#fingerprintKeys = new Map(
      config.encryptionKeys.map((key) => [key.id, deriveFingerprintKey(keyObject(key))]),
    );
  }

  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  seal(secret: Secret, context: SealContext): string {
    const keyId = this.sealingKeyId;
    const { salt, key } = this.#sealingKeys.forSealing();
    const sealed = encrypt(key, Buffer.from(secret.reveal(), 'utf8'), associatedData(keyId, context));
    return formatEnvelope({ keyId, salt, sealed });
  }

  open(envelope: string, context: SealContext): Secret {
    try {
      return this.unseal(envelope, context);
    } catch (error) {
      if (error instanceof NotionKeyError) {
        this.#metrics.count('notion_auth_decrypt_failures_total', { reason: error.failure });
      }
      throw error;
    }
  }

  private unseal(envelope: string, context: SealContext): Secret {
    const parts = parseEnvelope(envelope);
    if (parts === null) throw new NotionKeyError('damaged_envelope', null);
    const keys = this.#keys.get(parts.keyId);
    if (keys === undefined) throw new NotionKeyError('unknown_key_id', parts.keyId);
    const plain = decrypt(keys.forSalt(parts.salt), parts.sealed, associatedData(parts.keyId, context));
    if (plain === null) throw new NotionKeyError('decrypt_failed', parts.keyId);
    return new Secret(plain.toString('utf8'));
  }

  fingerprint(secret: Secret, keyId = this.sealingKeyId): string {
    const key = this.#fingerprintKeys.get(keyId);
    if (key === undefined) throw new NotionKeyError('unknown_key_id', keyId);
    return fingerprintBy(key, secret);
  }

  recognises(secret: Secret, fingerprint: string): boolean {
    return [...this.#fingerprintKeys.values()].some((key) => fingerprintBy(key, secret) === fingerprint);
  }
}

function fingerprintBy(key: KeyObject, secret: Secret): string {
  return createHmac('sha256', key).update(secret.reveal(), 'utf8').digest('base64url');
}

/** A JSON array keeps its members apart: no two contexts have the same text. */
function associatedData(keyId: string, context: SealContext): Buffer {
  const { table, column, rowId, clientId, version } = context;
  return Buffer.from(JSON.stringify([FORMAT, keyId, table, column, rowId, clientId, version]), 'utf8');
}

function keyObject({ key }: EncryptionKey): KeyObject {
  return createSecretKey(Buffer.from(key.reveal(), 'base64'));
}

/** A key of its own, so that no fingerprint says anything about the key that seals (RFC 5869). */
function deriveFingerprintKey(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'nestjs-notion-auth/fingerprint/v1', 32)));
}
