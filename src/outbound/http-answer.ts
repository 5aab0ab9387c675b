import type { IncomingHttpHeaders } from 'node:http';

/** What Notion's server answered. The body is whole, unless it is an event stream that goes on. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Resolves when nothing more comes, for whatever reason. Set for a stream only. */
  readonly streamEnded?: Promise<void>;
}

// Statuses that the `fetch` standard allows no body for.
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * True for Notion's own refusal of a token, and for nothing else: a 401 of an edge or a proxy says nothing about it.
 * @see https://developers.notion.com/reference/status-codes
 */
export function isTokenRefusal(answer: HttpAnswer): boolean {
  return (
    answer.status === 401 && answer.body instanceof Uint8Array && errorCodeOf(answer.body) === 'unauthorized'
  );
}

export function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** The answer as `fetch` gives it: a real `Response`. */
export function toResponse(answer: HttpAnswer): Response {
  const { status, statusText } = answer;
  const body = WITHOUT_BODY.has(status) ? null : (answer.body as Uint8Array<ArrayBuffer> | ReadableStream);
  return new Response(body, { status, statusText, headers: toHeaders(answer.headers) });
}

function toHeaders(given: IncomingHttpHeaders): Headers {
  const { 'set-cookie': cookies = [], ...single } = given;
  const headers = new Headers(single as Record<string, string>);
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  return headers;
}

function errorCodeOf(body: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(textOf(body));
    return typeof parsed === 'object' && parsed !== null && 'code' in parsed ? parsed.code : undefined;
  } catch {
    return undefined;
  }
}
