import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export const SALT_BYTES = 16;

/**
 * Envelopes that one derived key seals. NIST SP 800-38D section 8.3 allows 2^32 with random nonces; a process that is
 * restarted every day, and each of many replicas, stays far below it because each begins with a salt of its own.
 */
export const MOST_SEALS_PER_KEY = 2 ** 20;

/** Salts whose key is kept; a process needs those of the rows it reads. Deriving one takes about 20 µs. */
const MOST_KEPT = 1_000;

const INFO = 'nestjs-notion-auth/seal/v1';

export interface SaltedKey {
  readonly salt: Buffer;
  readonly key: KeyObject;
}

/**
 * The keys that one key of the ring gives by HKDF (RFC 5869), so that no key of AES-GCM is used too often whatever the
 * number of replicas and years. The key of the ring itself never seals anything.
 */
export class DerivedKeys {
  readonly #key: KeyObject;
  readonly #kept = new LRUCache<string, KeyObject>({ max: MOST_KEPT });
  #sealing: SaltedKey | null = null;
  #seals = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** What the next envelope is sealed with. Counts it. */
  forSealing(): SaltedKey {
    if (this.#sealing === null || this.#seals >= MOST_SEALS_PER_KEY) {
      const salt = randomBytes(SALT_BYTES);
      this.#sealing = { salt, key: this.forSalt(salt) };
      this.#seals = 0;
    }
    this.#seals += 1;
    return this.#sealing;
  }

  forSalt(salt: Buffer): KeyObject {
    const name = salt.toString('latin1');
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const key = createSecretKey(Buffer.from(hkdfSync('sha256', this.#key, salt, INFO, 32)));
    this.#kept.set(name, key);
    return key;
  }
}
