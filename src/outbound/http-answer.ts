import type { IncomingHttpHeaders } from 'node:http';

/** What Notion's server answered. The body is whole, unless it is an event stream that goes on. */
export interface HttpAnswer {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Resolves when nothing more comes, for whatever reason. Set for a stream only. */
  readonly streamEnded?: Promise<void>;
}

/** Notion's own errors are a fraction of it; whatever else came, it need not be understood. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * True for Notion's own refusal of a token, and for nothing else: a 401 of an edge or a proxy says nothing about it.
 * @see https://developers.notion.com/reference/status-codes
 */
export function isTokenRefusal(answer: HttpAnswer): boolean {
  return answer.status === 401 && codeOf(answer) === 'unauthorized';
}

/** Notion's code of an error, where its body has one. */
export function codeOf({ body }: HttpAnswer): unknown {
  return body instanceof Uint8Array ? errorCodeOf(body) : undefined;
}

export function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

function errorCodeOf(body: Uint8Array): unknown {
  if (body.length > MAX_ERROR_BYTES) return undefined;
  try {
    const parsed: unknown = JSON.parse(textOf(body));
    return typeof parsed === 'object' && parsed !== null && 'code' in parsed ? parsed.code : undefined;
  } catch {
    return undefined;
  }
}
