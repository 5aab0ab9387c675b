import { isOwnPath } from '../config/own-path.js';

const MAX_LENGTH = 2048;

/** Any origin does: a path that stays on one stays on each. */
const ORIGIN = 'https://own.invalid';

/**
 * The path to return to, if `value` is one on the application's own origin; otherwise `fallback`. What is answered
 * is the parsed and serialised form, judged once more, so that no browser reads it differently from how it was judged.
 * @see RFC 9700 section 4.11.1
 */
export function safeReturnTo(value: unknown, fallback: string): string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !isOwnPath(value)) return fallback;
  const emitted = pathOf(new URL(value, ORIGIN));
  return isOwnPath(emitted) ? emitted : fallback;
}

/** `returnTo` saying that the person declined: once, however often they declined before. */
export function deniedReturnTo(returnTo: string): string {
  const url = new URL(returnTo, ORIGIN);
  // Appended by hand: `searchParams` would re-encode what the application wrote.
  if (url.searchParams.get('notion') !== 'denied')
    url.search += `${url.search === '' ? '?' : '&'}notion=denied`;
  return pathOf(url);
}

function pathOf(url: URL): string {
  return url.pathname + url.search + url.hash;
}
