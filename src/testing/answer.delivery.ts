import type { ServerResponse } from 'node:http';
import type { Fault } from './simulator.faults.js';
import {
  apiError,
  edgeHtml,
  oauthError,
  redirectAnswer,
  type Answer,
  type OAuthErrorShape,
} from './wire.answers.js';

/** Sends an answer, or spoils it as the fault says. Returns the status sent; `null` when nothing was. */
export function deliver(response: ServerResponse, answer: Answer, fault: Fault | null): number | null {
  if (response.destroyed) return null;
  switch (fault?.kind) {
    case 'drop_before':
    case 'drop_after':
      hangUp(response, fault.reset === true);
      return null;
    case 'truncate':
      sendPart(response, answer, fault.bytes);
      break;
    case 'cut_json':
      send(response, { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) });
      break;
    case 'slow_body':
      sendSlowly(response, answer, fault.ms);
      break;
    case 'wrong_content_length':
      sendMisannounced(response, answer, fault.by ?? 7);
      break;
    case 'oversized_body':
      send(response, edited(answer, { padding: 'x'.repeat(fault.bytes) }));
      break;
    case 'override':
      send(response, edited(answer, fault.fields, fault.omit));
      break;
    case 'missing_field':
      send(response, edited(answer, {}, [fault.field ?? 'access_token']));
      break;
    case 'html':
    case 'status':
    case 'redirect':
    case 'delay':
    case undefined:
      send(response, answer);
  }
  return answer.status;
}

/** The answer that a fault gives in place of the endpoint's own; `null` for faults that keep it. */
export function replacementFor(fault: Fault, oauthShape: OAuthErrorShape | null): Answer | null {
  if (fault.kind === 'html') return edgeHtml(fault.status, fault.body);
  if (fault.kind === 'redirect') return redirectAnswer(fault.status, fault.location);
  if (fault.kind !== 'status') return null;
  const own =
    oauthShape === null
      ? apiError(fault.status, fault.code, undefined, rateLimitData(fault))
      : oauthError(oauthShape, fault.status, fault.code);
  const retryAfter: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  return { ...own, headers: { ...own.headers, ...retryAfter, ...fault.headers }, body: bodyOf(fault, own) };
}

type StatusFault = Extract<Fault, { kind: 'status' }>;

function rateLimitData({ status, retryAfter }: StatusFault): Record<string, string> | undefined {
  if (status !== 429) return undefined;
  const reason = { rate_limit_reason: 'public_api_request_rate_limit' };
  return retryAfter === undefined ? reason : { ...reason, retry_after: String(retryAfter) };
}

function bodyOf(fault: StatusFault, own: Answer): string {
  if (fault.body === undefined) return own.body;
  return typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body);
}

function edited(
  answer: Answer,
  fields: Readonly<Record<string, unknown>> = {},
  omit: readonly string[] = [],
): Answer {
  const body = { ...(JSON.parse(answer.body) as Record<string, unknown>), ...fields };
  const kept = Object.entries(body).filter(([name]) => !omit.includes(name));
  return { ...answer, body: JSON.stringify(Object.fromEntries(kept)) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function sendPart(response: ServerResponse, { status, headers, body }: Answer, bytes?: number): void {
  const whole = Buffer.from(body);
  const part = whole.subarray(0, bytes ?? Math.floor(whole.length / 2));
  response.writeHead(status, { ...headers, 'content-length': whole.length });
  response.write(part, () => response.socket?.end());
}

function sendMisannounced(response: ServerResponse, { status, headers, body }: Answer, by: number): void {
  response.writeHead(status, { ...headers, 'content-length': Math.max(0, Buffer.byteLength(body) + by) });
  response.write(body, () => response.socket?.end());
}

function sendSlowly(response: ServerResponse, { status, headers, body }: Answer, ms: number): void {
  const bytes = Buffer.from(body);
  const steps = Math.min(bytes.length, 20);
  const size = Math.ceil(bytes.length / steps);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.flushHeaders();
  const timer = setInterval(() => {
    const start = sent * size;
    sent += 1;
    if (start + size < bytes.length) response.write(bytes.subarray(start, start + size));
    else response.end(bytes.subarray(start));
  }, ms / steps);
  let sent = 0;
  response.once('close', () => {
    clearInterval(timer);
  });
}

function hangUp(response: ServerResponse, reset: boolean): void {
  if (reset) response.socket?.resetAndDestroy();
  else response.socket?.destroy();
}
