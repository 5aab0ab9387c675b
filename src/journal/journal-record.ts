import { z } from 'zod';
import type { TokenPair } from '../domain/authorization.js';
import { isNestedDeeper } from '../domain/json-nesting.js';
import type { RetainedChange, RetainedPair } from '../domain/retained-change.js';
import { Secret } from '../domain/secret.js';
import type { SealContext, TokenCipher } from '../domain/token-cipher.js';

const FORMAT = 1;
/** A record is flat. */
const RECORD_DEPTH = 1;

const place = {
  format: z.literal(FORMAT),
  authorizationId: z.string(),
  version: z.number().int().positive(),
};

const record = z.discriminatedUnion('kind', [
  z.object({ ...place, kind: z.literal('pair'), attemptId: z.string().nullable(), sealedPair: z.string() }),
  z.object({ ...place, kind: z.literal('disconnect') }),
]);

const clearPair = z.object({
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresInMs: z.number().nullable(),
});

/** Only ids and the version stand in clear; a pair is sealed as in the database, bound to its place. */
export function encodeRecord(change: RetainedChange, clientId: string, cipher: TokenCipher): Buffer {
  const { kind, authorizationId, version } = change;
  const content =
    kind === 'pair' ? { attemptId: change.attemptId, sealedPair: seal(change, clientId, cipher) } : {};
  return Buffer.from(JSON.stringify({ format: FORMAT, kind, authorizationId, version, ...content }), 'utf8');
}

/**
 * @returns `null` for a payload that is no record.
 * @throws {@link NotionKeyError} when the pair cannot be opened with the configured keys.
 */
export function decodeRecord(payload: Buffer, clientId: string, cipher: TokenCipher): RetainedChange | null {
  if (isNestedDeeper(payload, RECORD_DEPTH)) return null;
  const parsed = record.safeParse(parseJson(payload.toString('utf8')));
  if (!parsed.success) return null;
  const { authorizationId, version } = parsed.data;
  if (parsed.data.kind === 'disconnect') return { kind: 'disconnect', authorizationId, version };
  const { attemptId, sealedPair } = parsed.data;
  const pair = open(cipher.open(sealedPair, contextOf(authorizationId, version, clientId)));
  return pair && { kind: 'pair', authorizationId, version, attemptId, pair };
}

function seal(
  { authorizationId, version, pair }: RetainedPair,
  clientId: string,
  cipher: TokenCipher,
): string {
  const clear = JSON.stringify({
    accessToken: pair.accessToken.reveal(),
    refreshToken: pair.refreshToken?.reveal() ?? null,
    expiresInMs: pair.expiresInMs,
  });
  return cipher.seal(new Secret(clear), contextOf(authorizationId, version, clientId));
}

function open(clear: Secret): TokenPair | null {
  const parsed = clearPair.safeParse(parseJson(clear.reveal()));
  if (!parsed.success) return null;
  const { accessToken, refreshToken, expiresInMs } = parsed.data;
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? null : new Secret(refreshToken),
    expiresInMs,
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
