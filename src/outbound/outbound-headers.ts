import { NotionRequestRefusedError } from '../domain/errors.js';

const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]+$/;
// Latin-1 without controls (RFC 9110 section 5.5); a carriage return or line feed would begin another header.
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Ours to set, whatever a caller gives: the token, and what belongs to the connection
 * (the `fetch` standard calls most of them forbidden request headers).
 */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The caller's headers, names in lower case, without those that are ours to set.
 * @throws {@link NotionRequestRefusedError} `invalid_header`; the value is not in the message.
 */
export function outboundHeaders(given: RequestInit['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [givenName, value] of entriesOf(given)) {
    const name = givenName.toLowerCase();
    if (OWN_HEADERS.has(name)) continue;
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value))
      throw new NotionRequestRefusedError('invalid_header');
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function entriesOf(given: RequestInit['headers']): Iterable<[string, string]> {
  if (given == null) return [];
  if (Symbol.iterator in given) return given as Iterable<[string, string]>;
  return Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]);
}
