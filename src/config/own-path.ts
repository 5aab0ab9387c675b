import { parseUrl } from './parse-url.js';

const OWN_ORIGIN = 'https://own.invalid';

/**
 * True for a path that a browser resolves on the origin it is on: starts with a single `/`, and stays there once
 * parsed (RFC 9700 section 4.11.1).
 */
export function isOwnPath(path: string): boolean {
  if (!path.startsWith('/') || /[\\\p{Cc}]/u.test(path)) return false;
  const parsed = parseUrl(path, OWN_ORIGIN);
  return parsed !== null && parsed.origin === OWN_ORIGIN && !parsed.pathname.startsWith('//');
}

/** True for an absolute URL, without user name and password, on one of `origins`; each is compared as a whole. */
export function isOnOrigin(text: string, origins: readonly string[]): boolean {
  if (!/^https?:\/\//i.test(text) || /[\\\p{Cc}]/u.test(text)) return false;
  const parsed = parseUrl(text);
  return parsed !== null && origins.includes(parsed.origin) && parsed.username + parsed.password === '';
}
