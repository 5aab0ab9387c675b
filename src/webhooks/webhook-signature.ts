import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../domain/secret.js';

/** Case counts in the prefix and not in the digits, as in Notion's own SDK. */
const SIGNATURE = /^sha256=([0-9a-fA-F]{64})$/;

/** The digest that an `X-Notion-Signature` header names; `null` when it names none. */
export function parseSignature(header: unknown): Buffer | null {
  const digits = typeof header === 'string' ? SIGNATURE.exec(header)?.[1] : undefined;
  return digits === undefined ? null : Buffer.from(digits, 'hex');
}

/**
 * Whether the bytes were signed with the token, in a time that tells nothing.
 * @see https://developers.notion.com/reference/webhooks
 */
export function isSignedWith(token: Secret, body: Uint8Array, signature: Uint8Array): boolean {
  const expected = createHmac('sha256', token.reveal()).update(body).digest();
  // Of unequal length it would throw; the header's shape rules that out, and this keeps it so.
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
