import { unescape } from 'node:querystring';
import { NotionRequestRefusedError } from '../domain/errors.js';

// URL parsers drop these or turn them into others, so what was checked would not be what is sent.
const REWRITTEN_CHARACTER = /[\\\p{Cc}]/u;
const CONTROL_CHARACTER = /\p{Cc}/u;
/** Also with what follows a segment, and as some servers read a path: with parameters, or with backslashes. */
const DOT_SEGMENT = /(?:^(?:https?:)?|[/\\])\.{1,2}(?:[/\\;?#]|$)/i;
const OAUTH_ENDPOINT = /^[/\\]+v1(?:;[^/\\]*)?[/\\]+oauth(?![\w-])/i;
/** Nobody encodes more often by mistake; the next server might decode once more. */
const MAX_ENCODINGS = 4;
/** Servers refuse far less. */
const MAX_LENGTH = 64 * 1024;

/**
 * Path and query to send for what a caller asked for. Only Notion's own origin ever sees a token: the comparison is
 * made on the resolved URL, never on the text. A path alone (`/v1/users/me`) means the API's origin.
 *
 * Encoded slashes and backslashes are sent as they are: ids of Notion's properties have them (`f%5C%5C%3Ap`).
 * @param apiOrigin - as `URL.origin` spells it
 * @throws {@link NotionRequestRefusedError} `foreign_origin`, `path_traversal`, `oauth_path` or `target_too_long`.
 */
export function resolveTarget(input: string | URL, apiOrigin: string): string {
  const text = textOf(input);
  const url = resolve(text, apiOrigin);
  // `URL.origin` would do, were it not that a `blob:` URL borrows the origin of what it wraps.
  if (`${url.protocol}//${url.host}` !== apiOrigin) throw new NotionRequestRefusedError('foreign_origin');
  if (url.username !== '' || url.password !== '') throw new NotionRequestRefusedError('foreign_origin');
  refuseRewrittenPath(text);
  if (OAUTH_ENDPOINT.test(decoded(url.pathname))) throw new NotionRequestRefusedError('oauth_path');
  return url.pathname + url.search;
}

/** Read once: what was checked is what is sent, also for an object that only looks like a URL. */
function textOf(input: unknown): string {
  const text: unknown = typeof input === 'string' ? input : (input as { href?: unknown } | null)?.href;
  if (typeof text !== 'string') throw new NotionRequestRefusedError('foreign_origin');
  if (text.length > MAX_LENGTH) throw new NotionRequestRefusedError('target_too_long');
  return text;
}

function resolve(text: string, apiOrigin: string): URL {
  try {
    return new URL(text, apiOrigin);
  } catch {
    throw new NotionRequestRefusedError('foreign_origin');
  }
}

/** A parsed URL no longer shows the dot segments it was made of, plain or encoded, so the text is looked at. */
function refuseRewrittenPath(text: string): void {
  const path = text.replace(/[?#].*$/s, '').trim();
  const meant = decoded(path);
  const isRewritten =
    REWRITTEN_CHARACTER.test(path) || CONTROL_CHARACTER.test(meant) || DOT_SEGMENT.test(meant);
  if (isRewritten) throw new NotionRequestRefusedError('path_traversal');
}

/** What a server takes the path for that decodes it, perhaps more than once. */
function decoded(path: string): string {
  if (!path.includes('%')) return path;
  let meant = decodedOnce(path);
  for (let encodings = 1; meant.includes('%'); encodings += 1) {
    const next = unescape(meant);
    if (next === meant) return meant;
    if (encodings === MAX_ENCODINGS) throw new NotionRequestRefusedError('path_traversal');
    meant = next;
  }
  return meant;
}

function decodedOnce(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new NotionRequestRefusedError('path_traversal');
  }
}
