import { NotionCallbackRefusedError, type CallbackRefusal } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';

const MAX_QUERY_LENGTH = 8 * 1024;
const MAX_CODE_LENGTH = 2 * 1024;
const MAX_STATE_LENGTH = 256;

/** RFC 6749 appendix A: `code` and `state` are visible ASCII and spaces. */
const VISIBLE_ASCII = /^[\x20-\x7e]+$/;

const PARAMETERS = ['code', 'state', 'error', 'error_description', 'error_uri', 'iss'] as const;
type ParameterName = (typeof PARAMETERS)[number];

/** RFC 6749 section 4.1.2.1. */
const ERROR_CODES: ReadonlySet<string> = new Set([
  'invalid_request',
  'unauthorized_client',
  'access_denied',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
]);

interface AnyCallbackQuery {
  readonly state: string;
  /** RFC 9207; Notion is not known to send it. */
  readonly issuer: string | undefined;
}

/** `error` wins when a callback carries both. Its description is neither kept nor looked at. */
export type CallbackQuery =
  | (AnyCallbackQuery & { readonly kind: 'code'; readonly code: Secret })
  | (AnyCallbackQuery & { readonly kind: 'error'; readonly reason: string });

/**
 * Reads what Notion (or anybody else) put into the callback's query. Empty equals missing; parameters that OAuth
 * does not know are ignored (RFC 6749 section 4.1.2).
 * @throws {@link NotionCallbackRefusedError} for anything that is not exactly one well-formed answer.
 */
export function parseCallbackQuery(rawQuery: string): CallbackQuery {
  if (rawQuery.length > MAX_QUERY_LENGTH) refuse('malformed');
  const parameters = readParameters(rawQuery);
  const state = wellFormed(parameters.get('state'), MAX_STATE_LENGTH) ?? refuse('missing_state');
  const code = wellFormed(parameters.get('code'), MAX_CODE_LENGTH);
  const error = parameters.get('error');
  const issuer = parameters.get('iss');
  if (error !== undefined)
    return { kind: 'error', state, issuer, reason: ERROR_CODES.has(error) ? error : 'other' };
  if (code !== undefined) return { kind: 'code', state, issuer, code: new Secret(code) };
  return refuse('malformed');
}

function readParameters(rawQuery: string): ReadonlyMap<ParameterName, string> {
  const found = new Map<ParameterName, string>();
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    // `code[]` and `code[x]` are arrays and objects to some parsers: nobody honest sends them.
    if (name.includes('[') || (isParameter(name) && found.has(name))) refuse('malformed');
    if (isParameter(name)) found.set(name, value);
  }
  for (const [name, value] of found) if (value === '') found.delete(name);
  return found;
}

function wellFormed(value: string | undefined, maxLength: number): string | undefined {
  if (value !== undefined && (value.length > maxLength || !VISIBLE_ASCII.test(value))) refuse('malformed');
  return value;
}

function isParameter(name: string): name is ParameterName {
  return (PARAMETERS as readonly string[]).includes(name);
}

function refuse(refusal: CallbackRefusal): never {
  throw new NotionCallbackRefusedError(refusal);
}
