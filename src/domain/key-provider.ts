import type { Secret } from './secret.js';

/** One AES-256 key of the ring. */
export interface EncryptionKeyOption {
  /** Short name kept in every envelope: letters, digits, `-` and `_`, at most 32. */
  readonly id: string;
  /** 32 random bytes in standard or URL-safe base64. */
  readonly key: string | Secret;
}

/**
 * Where the key ring comes from, for the option `encryptionKeys`: a key management service that unwraps it, a vault,
 * files. Asked once, when the module starts; what it answers is checked like keys that were written down.
 */
export abstract class KeyProvider {
  /** The first seals, all open. A rejection keeps the application from starting; its text is not shown. */
  abstract keys(): Promise<readonly EncryptionKeyOption[]> | readonly EncryptionKeyOption[];
}
