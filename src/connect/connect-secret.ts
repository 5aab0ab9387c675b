import { createHash, randomBytes } from 'node:crypto';

const SHAPE = /^[A-Za-z0-9_-]{43}$/;

/** 256 bits from the CSPRNG as 43 base64url characters: a `state`, or the secret of a browser's cookie. */
export function newConnectSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether `value` has the shape of a secret made here; says nothing about whether it was. */
export function isConnectSecret(value: string | undefined): value is string {
  return value !== undefined && SHAPE.test(value);
}

/** SHA-256 in hex. A 256-bit secret needs no slow hash. */
export function hashConnectSecret(secret: string): string {
  return createHash('sha256').update(secret, 'ascii').digest('hex');
}
