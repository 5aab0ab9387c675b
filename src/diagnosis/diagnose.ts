import type { NotionAuthErrorCode } from '../domain/errors.js';
import type { Diagnosis, DiagnosisStage } from './diagnosis.js';
import { RULES, type RuleName } from './diagnosis.rules.js';
import { OWN_RULES } from './own-error.rules.js';
import { ErrorFacts } from './error-facts.js';
import { weightiest, type KnownCode } from './known-codes.js';

/** Where the sections are, below the root of the package. */
const RUNBOOK = 'docs/runbook.md';

const OVERLOADED = 529;
const OF_OAUTH = new Set<DiagnosisStage>(['exchange', 'refresh']);

/**
 * Says what an error of Notion, of its SDK or of this library most likely is, and what to do. Takes anything: a typed
 * error, an `APIResponseError`, `{ status, body }`, the error of an HTTP client, the page of a proxy, or text that
 * somebody pasted. A body that is still a stream is not read: give its text where you can. Pure: asks nobody, changes nothing, never throws, and repeats nothing of the input but its status
 * and its request id.
 *
 * @example
 * ```ts
 * diagnose({ status: 400, body: '{"error":"invalid_grant"}' }, { stage: 'refresh' }).family; // 'grant'
 * ```
 */
export function diagnose(error: unknown, { stage }: { readonly stage: DiagnosisStage }): Diagnosis {
  const facts = ErrorFacts.of(error);
  const code = weightiest(facts.codes);
  const name = code === undefined ? nameOfAnswer(facts, stage) : nameOfCode(code, stage);
  return {
    code: code ?? name,
    ...RULES[name],
    stage,
    ...(facts.status === undefined ? {} : { status: facts.status }),
    ...(facts.requestId === undefined ? {} : { requestId: facts.requestId }),
    runbook: `${RUNBOOK}#${name}`,
  };
}

/** One code may mean different things at different endpoints. */
function nameOfCode(code: KnownCode, stage: DiagnosisStage): RuleName {
  if (isOwn(code)) return code;
  switch (code) {
    case 'invalid_grant':
      return stage === 'exchange' ? 'invalid_code' : 'invalid_grant';
    case 'invalid_client':
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return 'invalid_client';
    case 'unauthorized':
      return OF_OAUTH.has(stage)
        ? 'invalid_client'
        : stage === 'webhook'
          ? 'notion_webhook_refused'
          : 'unauthorized';
    case 'object_not_found':
      return OF_OAUTH.has(stage) ? 'unexplained_answer' : 'object_not_found';
    case 'restricted_resource':
    case 'access_denied':
    case 'conflict_error':
      return code;
    case 'rate_limited':
    case 'service_overload':
      return 'rate_limited';
    case 'public_api_request_blocked':
      return 'request_blocked';
    case 'invalid_request':
      return stage === 'exchange' ? 'redirect_uri_mismatch' : 'invalid_request';
    case 'missing_version':
    case 'invalid_beta':
    case 'invalid_scope':
    case 'validation_error':
    case 'invalid_json':
    case 'invalid_request_url':
      return 'invalid_request';
    case 'test_env_error':
      return 'unexplained_answer';
    case 'internal_server_error':
    case 'bad_gateway':
    case 'service_unavailable':
    case 'database_connection_unavailable':
    case 'gateway_timeout':
    case 'malformed_response':
      return 'upstream';
    case 'proxy_unreachable':
    case 'proxy_authentication_required':
    case 'proxy_rejected':
      return 'proxy';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ECONNREFUSED':
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'connection_failed':
      return 'unreachable';
    case 'tls':
    case 'CERT_HAS_EXPIRED':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'untrusted_certificate';
    default:
      return 'lost_answer';
  }
}

function isOwn(code: KnownCode): code is NotionAuthErrorCode {
  return code in OWN_RULES;
}

/** For answers without a code, or with one that nobody knows. */
function nameOfAnswer(facts: ErrorFacts, stage: DiagnosisStage): RuleName {
  const { status, isHtml, isForeign, isJson } = facts;
  if (stage === 'webhook' && (status === 401 || status === 403)) return 'notion_webhook_refused';
  if (status === 403 && (isHtml || isForeign)) return 'edge_blocked';
  if (status === 429 || status === OVERLOADED) return 'rate_limited';
  if (status !== undefined && status >= 500) return 'upstream';
  if (status === 401 && stage === 'api' && !isHtml) return 'unauthorized';
  // A `Response` of the API whose body is still to be read: these two have one code each there.
  if (stage === 'api' && isJson && status === 403) return 'restricted_resource';
  if (stage === 'api' && isJson && status === 404) return 'object_not_found';
  if (status === undefined && isHtml) return 'edge_blocked';
  return status === undefined ? 'unknown' : 'unexplained_answer';
}
