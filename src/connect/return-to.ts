import { isOnOrigin, isOwnPath } from '../config/own-path.js';

const MAX_LENGTH = 2048;

/** Any origin does: a path that stays on one stays on each. */
const ORIGIN = 'https://own.invalid';

/**
 * Where to return to, if `value` is a path on the application's own origin or a URL on one of `allowedOrigins`;
 * otherwise `fallback`. The result is the parsed and serialised form, judged once more, so that no browser reads it
 * differently from how it was judged.
 * @see RFC 9700 section 4.11.1
 */
export function safeReturnTo(
  value: unknown,
  fallback: string,
  allowedOrigins: readonly string[] = [],
): string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return fallback;
  if (isOnOrigin(value, allowedOrigins)) return new URL(value).href;
  if (!isOwnPath(value)) return fallback;
  const emitted = pathOf(new URL(value, ORIGIN));
  return isOwnPath(emitted) ? emitted : fallback;
}

/** `returnTo` with `notion=<result>` in its query: once, however often the user comes back with it. */
export function returnToWith(returnTo: string, result: 'denied' | 'failed'): string {
  const url = new URL(returnTo, ORIGIN);
  // Appended by hand: `searchParams` would re-encode what the application wrote.
  if (url.searchParams.get('notion') !== result)
    url.search += `${url.search === '' ? '?' : '&'}notion=${result}`;
  return url.origin === ORIGIN ? pathOf(url) : url.href;
}

function pathOf(url: URL): string {
  return url.pathname + url.search + url.hash;
}
