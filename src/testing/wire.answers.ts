import { randomUUID } from 'node:crypto';

/** An answer, ready to be sent or to be spoilt by a fault. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Which of Notion's two error bodies OAuth endpoints use. */
export type OAuthErrorShape = 'rfc' | 'api';

const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'validation_error',
  401: 'unauthorized',
  403: 'restricted_resource',
  404: 'object_not_found',
  409: 'conflict_error',
  429: 'rate_limited',
  500: 'internal_server_error',
  502: 'bad_gateway',
  503: 'service_unavailable',
  504: 'gateway_timeout',
  529: 'service_overload',
};

const OAUTH_CODE_OF_STATUS: Readonly<Record<number, string>> = {
  ...CODE_OF_STATUS,
  400: 'invalid_request',
  401: 'invalid_client',
  403: 'test_env_error',
};

export function jsonAnswer(status: number, body: Readonly<Record<string, unknown>>): Answer {
  const requestId = randomUUID();
  return {
    status,
    headers: notionHeaders(requestId),
    body: JSON.stringify({ ...body, request_id: requestId }),
  };
}

/** The same for a body prepared beforehand: an object's JSON without its closing brace. */
export function preparedAnswer(openBody: string): Answer {
  const requestId = randomUUID();
  return { status: 200, headers: notionHeaders(requestId), body: `${openBody},"request_id":"${requestId}"}` };
}

/** @see https://developers.notion.com/reference/status-codes */
export function apiError(
  status: number,
  code = CODE_OF_STATUS[status] ?? 'internal_server_error',
  message = `Simulated ${code}.`,
  additionalData?: Readonly<Record<string, unknown>>,
): Answer {
  const extra = additionalData === undefined ? {} : { additional_data: additionalData };
  return jsonAnswer(status, { object: 'error', status, code, message, ...extra });
}

export function oauthError(
  shape: OAuthErrorShape,
  status: number,
  code = OAUTH_CODE_OF_STATUS[status] ?? 'internal_server_error',
  message?: string,
): Answer {
  return shape === 'rfc' ? jsonAnswer(status, { error: code }) : apiError(status, code, message);
}

/** A page of the network edge, which never saw Notion. */
export function edgeHtml(status: number, body = edgePage(status)): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8', 'cf-ray': nextRay() }, body };
}

export function redirectAnswer(status: number, location: string): Answer {
  return { status, headers: { location, 'cf-ray': nextRay() }, body: '' };
}

function notionHeaders(requestId: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'x-notion-request-id': requestId,
    'cf-ray': nextRay(),
  };
}

let rays = 0;

function nextRay(): string {
  rays += 1;
  return `${rays.toString(16).padStart(16, '0')}-SIM`;
}

function edgePage(status: number): string {
  return `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`;
}
