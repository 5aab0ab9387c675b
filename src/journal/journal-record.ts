import { z } from 'zod';
import type { RetainedPair } from '../domain/retained-change.js';
import { Secret } from '../domain/secret.js';
import type { SealContext, TokenCipher } from '../domain/token-cipher.js';

const FORMAT = 1;

const record = z.object({
  format: z.literal(FORMAT),
  authorizationId: z.string(),
  version: z.number().int().positive(),
  attemptId: z.string().nullable(),
  sealedPair: z.string(),
});

const sealedPair = z.object({
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresInMs: z.number().nullable(),
});

/** Only ids and the version stand in clear; the pair is sealed as in the database, bound to its place. */
export function encodeRecord(retained: RetainedPair, clientId: string, cipher: TokenCipher): Buffer {
  const { authorizationId, version, attemptId, pair } = retained;
  const clear = JSON.stringify({
    accessToken: pair.accessToken.reveal(),
    refreshToken: pair.refreshToken?.reveal() ?? null,
    expiresInMs: pair.expiresInMs,
  });
  const sealed = cipher.seal(new Secret(clear), contextOf(authorizationId, version, clientId));
  const text = JSON.stringify({ format: FORMAT, authorizationId, version, attemptId, sealedPair: sealed });
  return Buffer.from(text, 'utf8');
}

/**
 * @returns `null` for a payload that is no record.
 * @throws {@link NotionKeyError} when the pair cannot be opened with the configured keys.
 */
export function decodeRecord(payload: Buffer, clientId: string, cipher: TokenCipher): RetainedPair | null {
  const parsed = record.safeParse(parseJson(payload.toString('utf8')));
  if (!parsed.success) return null;
  const { authorizationId, version, attemptId } = parsed.data;
  const clear = cipher.open(parsed.data.sealedPair, contextOf(authorizationId, version, clientId));
  const pair = sealedPair.safeParse(parseJson(clear.reveal()));
  if (!pair.success) return null;
  const { accessToken, refreshToken, expiresInMs } = pair.data;
  return {
    kind: 'pair',
    authorizationId,
    version,
    attemptId,
    pair: {
      accessToken: new Secret(accessToken),
      refreshToken: refreshToken === null ? null : new Secret(refreshToken),
      expiresInMs,
    },
  };
}

function contextOf(rowId: string, version: number, clientId: string): SealContext {
  return { table: 'journal', column: 'pair', rowId, clientId, version };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
