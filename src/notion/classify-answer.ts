import type { FailureClass } from '../domain/notion-oauth.js';

/** OAuth codes that speak of the client itself, not of any token (RFC 6749 section 5.2). */
const CLIENT_FAULTS: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
]);

/** Notion's own overload status; like 429 it is answered before the token is looked at. */
const OVERLOADED = 529;

/**
 * What a refusal says of the token that was sent.
 *
 * A server error may come after the rotation, so it is `unknown`; a 4xx without a verdict is `not_processed`; the
 * status alone never declares a grant dead. A redirect is `unknown` too: it is followed by nobody, and nothing says
 * what happened before it was sent.
 * @see RFC 6749 section 5.2; https://developers.notion.com/reference/status-codes
 */
export function classifyRefusal(status: number, code: string | undefined): FailureClass {
  if (status === OVERLOADED) return 'not_processed';
  if (status < 400 || status >= 500) return 'unknown';
  if (code === 'invalid_grant') return 'dead';
  if (code !== undefined && CLIENT_FAULTS.has(code)) return 'configuration';
  return 'not_processed';
}

/** Codes for a request that was rejected before the code or token in it was looked at (RFC 6749 section 5.2). */
const REQUEST_FAULTS: ReadonlySet<string> = new Set(['invalid_request', 'invalid_scope']);

/**
 * What an error says that came with a success status: its code alone counts. Without a known code a token pair may have
 * been issued all the same.
 */
export function classifyErrorCode(code: string | undefined): FailureClass {
  const isKnown =
    code !== undefined && (code === 'invalid_grant' || CLIENT_FAULTS.has(code) || REQUEST_FAULTS.has(code));
  return isKnown ? classifyRefusal(400, code) : 'unknown';
}
