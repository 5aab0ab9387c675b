import { NotionConfigError } from '../domain/errors.js';
import { OPTION_VARIABLES } from './config-findings.js';
import { parseUrl } from './parse-url.js';

type RedirectUris = readonly [string, ...string[]];

/** A `Host` header's value (RFC 9110 section 7.2): nothing that a URL parser would take for another part of a URL. */
const HOST = /^(?:\[[0-9a-f:.]{2,45}\]|[^\s/?#@\\:[\]]{1,255})(?::\d{1,5})?$/i;

/**
 * The redirect URI for a request: the first with the host and port that it names, else the first with the host name alone
 * (cookies know no ports, and proxies drop them), else the first of all. The host only selects: nothing of it is in the
 * result.
 */
export function selectRedirectUri(redirectUris: RedirectUris, host: string | undefined): string {
  const urls = redirectUris.map((uri) => new URL(uri));
  const namedAt = (port: 'host' | 'hostname') =>
    urls.findIndex((url) => parseHost(host, url.protocol)?.[port] === url[port]);
  const exact = namedAt('host');
  return redirectUris[exact >= 0 ? exact : namedAt('hostname')] ?? redirectUris[0];
}

/** The host that a request names, where a browser there will not send its cookies to the redirect URI; else `null`. */
export function otherHost(redirectUri: string, host: string | undefined): string | null {
  const url = new URL(redirectUri);
  const opened = parseHost(host, url.protocol);
  return opened === null || opened.hostname === url.hostname ? null : opened.host;
}

/** @throws {@link NotionConfigError} naming the configured redirect URIs when it is not one of them. */
export function requireRedirectUri(redirectUris: RedirectUris, given: unknown): string {
  const listed = redirectUris.find((uri) => uri === given);
  if (listed !== undefined) return listed;
  throw new NotionConfigError([
    `redirectUri of authorizeUrl is not configured: give one of redirectUris (${OPTION_VARIABLES['redirectUris']!}), byte for byte: ${redirectUris.join(', ')}`,
  ]);
}

function parseHost(host: string | undefined, protocol: string): URL | null {
  return host !== undefined && HOST.test(host) ? parseUrl(`${protocol}//${host}`) : null;
}
