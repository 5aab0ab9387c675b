import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a form was sent by a page of this very origin, as far as the browser says. `Sec-Fetch-Site` is the browser's
 * own word and no proxy changes it; browsers without it name the page's origin. Who says nothing is judged by the
 * form's token alone.
 */
export function isSentFromHere(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  return origin === undefined || hostOf(origin) === host?.toLowerCase();
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
