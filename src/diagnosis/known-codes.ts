import { NOTION_AUTH_ERROR_CODES } from '../domain/errors.js';

/** What Notion's OAuth endpoints and its API say. They tell more than anything around them. */
const NOTION_CODES = [
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'test_env_error',
  'access_denied',
  'public_api_request_blocked',
  'rate_limited',
  'service_overload',
  'restricted_resource',
  'object_not_found',
  'unauthorized',
  'missing_version',
  'invalid_beta',
  'validation_error',
  'invalid_json',
  'invalid_request_url',
  'invalid_request',
  'conflict_error',
  'internal_server_error',
  'bad_gateway',
  'service_unavailable',
  'database_connection_unavailable',
  'gateway_timeout',
  'malformed_response',
] as const;

/** Of sockets, resolvers, TLS and clients that gave up. */
const NETWORK_CODES = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'proxy_unreachable',
  'proxy_authentication_required',
  'proxy_rejected',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
  'connection_failed',
  'notionhq_client_request_timeout',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
] as const;

/** Common words: believed where a `code` stands, not in running text. */
const FIELD_ONLY_CODES = ['timeout', 'tls'] as const;

export type KnownCode =
  | (typeof NOTION_CODES)[number]
  | (typeof NETWORK_CODES)[number]
  | (typeof FIELD_ONLY_CODES)[number]
  | (typeof NOTION_AUTH_ERROR_CODES)[number];

/** By how much each tells: of several codes in one error the earliest here is the cause. */
const BY_WEIGHT: readonly string[] = [
  ...NOTION_CODES,
  ...NETWORK_CODES,
  ...FIELD_ONLY_CODES,
  ...NOTION_AUTH_ERROR_CODES,
];
const IN_TEXT = new RegExp(
  `(?<![\\w-])(?:${[...NOTION_CODES, ...NETWORK_CODES, ...NOTION_AUTH_ERROR_CODES].join('|')})(?![\\w-])`,
  'g',
);

/**
 * What stands in the message, and so in the first line of a stack, where the code stands in a field that was not
 * pasted. Notion's own words of its commonest errors.
 * @see https://developers.notion.com/reference/status-codes
 */
const SENTENCES: readonly (readonly [sentence: RegExp, code: KnownCode])[] = [
  [/\bAPI token is invalid\b/, 'unauthorized'],
  [/\bInsufficient permissions for this endpoint\b/, 'restricted_resource'],
  [/\bCould not find [a-z_ ]{1,40} with ID\b/, 'object_not_found'],
  [/\bYou have been rate limited\b/, 'rate_limited'],
];

/** For texts that name no code. */
export function codeOfSentence(text: string): KnownCode | undefined {
  return SENTENCES.find(([sentence]) => sentence.test(text))?.[1];
}

export function isKnownCode(code: string): code is KnownCode {
  return BY_WEIGHT.includes(code);
}

/** Codes that stand in running text. */
export function knownCodesIn(text: string): readonly KnownCode[] {
  return (text.match(IN_TEXT) ?? []) as KnownCode[];
}

export function weightiest(codes: Iterable<KnownCode>): KnownCode | undefined {
  return [...codes].sort((one, other) => BY_WEIGHT.indexOf(one) - BY_WEIGHT.indexOf(other))[0];
}
