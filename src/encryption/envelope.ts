import { LEAST_SEALED_BYTES } from './aes-gcm.js';

export const FORMAT = 'v1';

const ENVELOPE = new RegExp(`^${FORMAT}\\.([A-Za-z0-9_-]{1,32})\\.([A-Za-z0-9_-]+)$`);

export interface Envelope {
  readonly keyId: string;
  /** Nonce, ciphertext, tag. */
  readonly sealed: Buffer;
}

/** `v1.<key id>.<base64url>`: plain text that every database column keeps as it is. */
export function formatEnvelope({ keyId, sealed }: Envelope): string {
  return `${FORMAT}.${keyId}.${sealed.toString('base64url')}`;
}

/** `null` for whatever `formatEnvelope` cannot have written. */
export function parseEnvelope(text: string): Envelope | null {
  const [, keyId, encoded] = ENVELOPE.exec(text) ?? [];
  if (keyId === undefined || encoded === undefined) return null;
  const sealed = Buffer.from(encoded, 'base64url');
  // Base64 has spare bits at its end; an envelope that differs only there is still not the one that was written.
  const isCanonical = sealed.toString('base64url') === encoded;
  return isCanonical && sealed.length >= LEAST_SEALED_BYTES ? { keyId, sealed } : null;
}
