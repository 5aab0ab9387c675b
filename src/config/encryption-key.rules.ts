import { Secret } from '../domain/secret.js';
import type { EncryptionKey } from './notion-auth.options.js';

/** AES-256. */
export const KEY_BYTES = 32;
export const KEY_ID_PATTERN = /^[A-Za-z0-9_-]{1,32}$/;

/** Fewer distinct bytes do not come from a random source: 20,000 random keys had at least 24, words have about 18. */
const LEAST_DISTINCT_BYTES = 20;

/** Far more than a key is; a text of any length need not be decoded to be told so. */
const MAX_TEXT_LENGTH = 1_024;

const BASE64_ALPHABETS = [/^[A-Za-z0-9+/]*={0,2}$/, /^[A-Za-z0-9_-]*={0,2}$/];

export interface JudgedKeys {
  readonly keys: readonly EncryptionKey[];
  readonly problems: readonly string[];
}

interface JudgedKey {
  readonly id: string | null;
  readonly bytes: Buffer | null;
  readonly problems: readonly string[];
}

/**
 * Checks a key ring as configured. Entries are named by their position only: an entry written the wrong way round
 * has its key where the id belongs.
 */
export function judgeEncryptionKeys(entries: readonly unknown[]): JudgedKeys {
  const judged = entries.map(judgeKey);
  const problems = judged.flatMap((key, index) => [
    ...key.problems.map((rule) => `entry ${index + 1}: ${rule}`),
    ...repetitionProblems(judged, index),
  ]);
  const keys = judged.flatMap(({ id, bytes }) =>
    id === null || bytes === null ? [] : [{ id, key: new Secret(bytes.toString('base64')) }],
  );
  return { keys, problems };
}

function judgeKey(entry: unknown): JudgedKey {
  const { id, key } = (entry ?? {}) as { id?: unknown; key?: unknown };
  const idProblem =
    typeof id === 'string' && KEY_ID_PATTERN.test(id)
      ? null
      : 'needs an id of 1 to 32 letters, digits, - or _ (written id:base64)';
  const { bytes, problem } = judgeKeyText(key instanceof Secret ? key.reveal() : key);
  return {
    id: idProblem === null ? (id as string) : null,
    bytes,
    problems: [idProblem, problem].filter((rule) => rule !== null),
  };
}

function judgeKeyText(text: unknown): { bytes: Buffer | null; problem: string | null } {
  const bytes = typeof text === 'string' ? decodeBase64(text) : null;
  if (bytes === null) return { bytes: null, problem: `the key must be ${KEY_BYTES} bytes in base64` };
  if (bytes.length !== KEY_BYTES) {
    const hint = /^[0-9a-f]{64}$/i.test(text as string) ? '; it looks like hexadecimal' : '';
    return {
      bytes: null,
      problem: `the key must be ${KEY_BYTES} bytes in base64, not ${bytes.length}${hint}`,
    };
  }
  return { bytes, problem: isWeak(bytes) ? 'the key is weak; make one from a random source' : null };
}

/** Strict: one alphabet, no stray characters, no bits beyond the last byte; padding may be left out. */
export function decodeBase64(text: string): Buffer | null {
  if (text === '' || text.length > MAX_TEXT_LENGTH) return null;
  if (!BASE64_ALPHABETS.some((alphabet) => alphabet.test(text))) return null;
  const bytes = Buffer.from(text, 'base64');
  const padded = bytes.toString('base64');
  const given = text.replaceAll('-', '+').replaceAll('_', '/');
  return given === padded || given === padded.replaceAll('=', '') ? bytes : null;
}

function isWeak(bytes: Buffer): boolean {
  return new Set(bytes).size < LEAST_DISTINCT_BYTES || bytes.every((byte) => byte >= 0x20 && byte <= 0x7e);
}

function repetitionProblems(judged: readonly JudgedKey[], index: number): string[] {
  const { id, bytes } = judged[index]!;
  const earlier = judged.slice(0, index);
  const sameId = id === null ? -1 : earlier.findIndex((other) => other.id === id);
  const sameKey = bytes === null ? -1 : earlier.findIndex((other) => other.bytes?.equals(bytes) === true);
  return [
    ...(sameId < 0 ? [] : [`entry ${index + 1}: has the same id as entry ${sameId + 1}`]),
    ...(sameKey < 0 ? [] : [`entry ${index + 1}: is the same key as entry ${sameKey + 1}`]),
  ];
}
