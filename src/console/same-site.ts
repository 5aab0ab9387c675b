import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a form was sent by a page of this very origin, as far as the browser says. `Sec-Fetch-Site` is the browser's
 * own word and no proxy changes it; browsers without it name the page's origin. That is compared with the public origin
 * of the console where it is configured, else with the host that the browser asked for: a page of another site can add
 * no `X-Forwarded-Host` to a form. Who says nothing is judged by the form's token alone.
 */
export function isSentFromHere(headers: IncomingHttpHeaders, publicOrigin?: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined) return true;
  if (publicOrigin !== undefined && origin === publicOrigin) return true;
  const host = hostOf(origin);
  return host !== null && [headers.host?.toLowerCase(), forwardedHost(headers)].includes(host);
}

/** The first entry: the proxy that the browser talked to. */
function forwardedHost(headers: IncomingHttpHeaders): string | undefined {
  return [headers['x-forwarded-host']].flat()[0]?.split(',')[0]?.trim().toLowerCase();
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
