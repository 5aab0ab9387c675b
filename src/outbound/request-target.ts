import { NotionRequestRefusedError } from '../domain/errors.js';

// URL parsers drop these or turn them into others, so what was checked would not be what is sent.
const REWRITTEN_CHARACTER = /[\\\p{Cc}]/u;
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;
// Dots, slashes, backslashes and NUL, encoded once or several times over.
const ENCODED_SEPARATOR = /%(?:25)*(?:2e|2f|5c|00)/i;
const OAUTH_ENDPOINT = /^\/+v1\/+oauth(?![\w-])/i;

/**
 * Path and query to send for what a caller asked for. Only Notion's own origin ever sees a token: the comparison is
 * made on the resolved URL, never on the text. A path alone (`/v1/users/me`) means the API's origin.
 * @param apiOrigin - as `URL.origin` spells it
 * @throws {@link NotionRequestRefusedError} `foreign_origin`, `path_traversal` or `oauth_path`.
 */
export function resolveTarget(input: string | URL, apiOrigin: string): string {
  const url = resolve(input, apiOrigin);
  // `URL.origin` would do, were it not that a `blob:` URL borrows the origin of what it wraps.
  if (`${url.protocol}//${url.host}` !== apiOrigin) throw new NotionRequestRefusedError('foreign_origin');
  if (url.username !== '' || url.password !== '') throw new NotionRequestRefusedError('foreign_origin');
  if (typeof input === 'string') refuseRewrittenPath(input);
  refuseOAuthPath(url.pathname);
  return url.pathname + url.search;
}

function resolve(input: string | URL, apiOrigin: string): URL {
  if (typeof input !== 'string') return input;
  try {
    return new URL(input, apiOrigin);
  } catch {
    throw new NotionRequestRefusedError('foreign_origin');
  }
}

/** A parsed URL no longer shows the dot segments it was made of, plain or encoded, so the text is looked at. */
function refuseRewrittenPath(input: string): void {
  const path = input.replace(/[?#].*$/s, '').trim();
  const isRewritten =
    REWRITTEN_CHARACTER.test(path) || DOT_SEGMENT.test(path) || ENCODED_SEPARATOR.test(path);
  if (isRewritten) throw new NotionRequestRefusedError('path_traversal');
}

function refuseOAuthPath(pathname: string): void {
  if (ENCODED_SEPARATOR.test(pathname)) throw new NotionRequestRefusedError('path_traversal');
  if (OAUTH_ENDPOINT.test(decodePath(pathname))) throw new NotionRequestRefusedError('oauth_path');
}

function decodePath(pathname: string): string {
  if (!pathname.includes('%')) return pathname;
  try {
    return decodeURIComponent(pathname);
  } catch {
    throw new NotionRequestRefusedError('path_traversal');
  }
}
