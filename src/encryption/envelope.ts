import { LEAST_SEALED_BYTES } from './aes-gcm.js';
import { SALT_BYTES } from './derived-keys.js';

export const FORMAT = 'v1';

const ENVELOPE = new RegExp(`^${FORMAT}\\.([A-Za-z0-9_-]{1,32})\\.([A-Za-z0-9_-]+)$`);

/** In characters: more than twice what two of the longest tokens come to. Nothing longer is decoded or decrypted. */
const LONGEST = 2 ** 18;

export interface Envelope {
  readonly keyId: string;
  /** What the sealing key was derived with. */
  readonly salt: Buffer;
  /** Nonce, ciphertext, tag. */
  readonly sealed: Buffer;
}

/**
 * `v1.<key id>.<base64url of salt and sealed>`: plain text that every database column keeps as it is.
 * @throws RangeError for what could not be parsed again
 */
export function formatEnvelope({ keyId, salt, sealed }: Envelope): string {
  const text = `${FORMAT}.${keyId}.${Buffer.concat([salt, sealed]).toString('base64url')}`;
  if (text.length > LONGEST) throw new RangeError('This is too long to be sealed.');
  return text;
}

/** `null` for whatever `formatEnvelope` cannot have written. */
export function parseEnvelope(text: string): Envelope | null {
  if (text.length > LONGEST) return null;
  const [, keyId, encoded] = ENVELOPE.exec(text) ?? [];
  if (keyId === undefined || encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64url');
  // Base64 has spare bits at its end; an envelope that differs only there is still not the one that was written.
  const isCanonical = bytes.toString('base64url') === encoded;
  if (!isCanonical || bytes.length < SALT_BYTES + LEAST_SEALED_BYTES) return null;
  return { keyId, salt: bytes.subarray(0, SALT_BYTES), sealed: bytes.subarray(SALT_BYTES) };
}
