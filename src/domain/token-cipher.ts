import type { Secret } from './secret.js';

/**
 * What a sealed value is bound to (the associated data). An envelope moved to another row or column, or put back
 * after a newer one was stored, does not open.
 */
export interface SealContext {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
  readonly clientId: string;
  readonly version: number;
}

/** Seals secrets for storage. Authenticated encryption; equal plaintexts yield different envelopes. */
export abstract class TokenCipher {
  /** Key id that seals new values. */
  abstract readonly sealingKeyId: string;

  /** Ids of every key that opens, {@link TokenCipher.sealingKeyId} among them. */
  abstract readonly keyIds: readonly string[];

  abstract seal(secret: Secret, context: SealContext): string;

  /**
   * @throws {@link NotionKeyError} when the key is unknown, the envelope is damaged, or the context differs.
   */
  abstract open(envelope: string, context: SealContext): Secret;

  /**
   * A keyed hash that recognises a secret without keeping it.
   * @param keyId - One of {@link TokenCipher.keyIds}. Default: {@link TokenCipher.sealingKeyId}.
   */
  abstract fingerprint(secret: Secret, keyId?: string): string;

  /** Whether the fingerprint is this secret's, by whichever key it was made. */
  abstract recognises(secret: Secret, fingerprint: string): boolean;
}
