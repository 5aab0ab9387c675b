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
  const headers = new Map<string, string>();
  for (const [name, value] of entriesOf(given)) {
    if (OWN_HEADERS.has(name)) continue;
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value))
      throw new NotionRequestRefusedError('invalid_header');
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** Texts, whatever was given: what is checked is what is sent. */
function entriesOf(given: RequestInit['headers']): [name: string, value: string][] {
  if (given == null) return [];
  const entries =
    Symbol.iterator in given ? [...(given as Iterable<[unknown, unknown]>)] : Object.entries(given);
  return entries.map(([name, value]) => [String(name).toLowerCase(), String(value)]);
}
