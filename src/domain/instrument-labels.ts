import { CALLBACK_REFUSALS } from './errors.js';

/**
 * Codes of Notion's API; whatever else it says is `other`, and `no_answer` is when it says nothing at all.
 * @see https://developers.notion.com/reference/status-codes
 */
export const API_ERROR_CODES = [
  'invalid_json',
  'invalid_request_url',
  'invalid_request',
  'validation_error',
  'missing_version',
  'invalid_grant',
  'invalid_beta',
  'unauthorized',
  'restricted_resource',
  'object_not_found',
  'conflict_error',
  'rate_limited',
  'internal_server_error',
  'bad_gateway',
  'service_unavailable',
  'database_connection_unavailable',
  'gateway_timeout',
  'service_overload',
  'no_answer',
  'other',
] as const;
export type ApiErrorCode = (typeof API_ERROR_CODES)[number];

const KNOWN_CODES: ReadonlySet<unknown> = new Set(API_ERROR_CODES);

/** What came from outside, as one of a closed set. */
export function apiErrorCode(code: unknown): ApiErrorCode {
  return KNOWN_CODES.has(code) ? (code as ApiErrorCode) : 'other';
}

/**
 * - `connected`, `reconnected`: kept.
 * - `denied`: the person, or Notion, said no.
 * - `repeated`: the same browser and owner completed it before.
 * - a refusal: it was not the callback of a connect that this browser started here.
 * - `code_dead`, `notion_failed`, `client_refused`: Notion did not exchange the code.
 * - `continues`: Notion granted, and the database was away; counted again as `connected` or `reconnected` once stored.
 * - `other_grant`, `no_owner`, `store_unavailable`, `failed`: this owner was not connected.
 */
export const CALLBACK_RESULTS = [
  'connected',
  'reconnected',
  'denied',
  'repeated',
  ...CALLBACK_REFUSALS,
  'code_dead',
  'notion_failed',
  'client_refused',
  'other_grant',
  'no_owner',
  'store_unavailable',
  'continues',
  'failed',
] as const;
export type CallbackResult = (typeof CALLBACK_RESULTS)[number];

/**
 * - `accepted`: verified and handed on; `duplicate`: verified and known already.
 * - `verification`: Notion's own question when a subscription is made.
 * - `missing_signature`, `bad_signature`, `malformed`: refused.
 */
export const WEBHOOK_RESULTS = [
  'accepted',
  'duplicate',
  'verification',
  'missing_signature',
  'bad_signature',
  'malformed',
] as const;
