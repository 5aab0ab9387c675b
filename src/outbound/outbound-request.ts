import { outboundHeaders } from './outbound-headers.js';
import { resolveTarget } from './request-target.js';

/** What is kept of a request from the moment it is made until it may have been sent twice. Holds no token. */
export interface OutboundRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream can be sent once only. */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null;
  readonly isReplayable: boolean;
}

export type FetchInput = string | URL | Request;

type Payload = Pick<OutboundRequest, 'body' | 'isReplayable'> & { readonly contentType?: string | null };

const METHOD = /^[!#$%&'*+.^`|~\w-]+$/;
const UNSENDABLE_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Checks and copies what a caller gave to `fetch`. Everything but a stream is copied, so that it can be repeated
 * after a 401 and may be changed by its owner meanwhile; a `Request`'s body is read into memory.
 * @throws {@link NotionRequestRefusedError} before any socket is opened.
 */
export async function prepareRequest(
  input: FetchInput,
  init: RequestInit,
  apiOrigin: string,
): Promise<OutboundRequest> {
  const request = input instanceof Request ? input : null;
  const path = resolveTarget(request?.url ?? (input as string | URL), apiOrigin);
  const headers = outboundHeaders(init.headers ?? request?.headers);
  const method = methodOf(init.method ?? request?.method ?? 'GET');
  const { body, isReplayable, contentType } = await payloadOf(init.body ?? (await bodyOf(request)));
  if (contentType != null) headers['content-type'] ??= contentType;
  return { method, path, headers, body, isReplayable };
}

function methodOf(given: unknown): string {
  const method = String(given).toUpperCase();
  if (!METHOD.test(method)) throw new TypeError('fetch sends no such method');
  if (UNSENDABLE_METHODS.has(method)) throw new TypeError(`fetch does not send ${method} requests`);
  return method;
}

async function bodyOf(request: Request | null): Promise<ArrayBuffer | null> {
  return request?.body == null ? null : request.arrayBuffer();
}

async function payloadOf(body: RequestInit['body']): Promise<Payload> {
  if (body == null) return { body: null, isReplayable: true };
  if (typeof body === 'string') return { body, isReplayable: true, contentType: 'text/plain;charset=UTF-8' };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body.slice(0)), isReplayable: true };
  if (ArrayBuffer.isView(body)) return { body: copyOf(body), isReplayable: true };
  if (body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams)
    return packed(body);
  if (isStream(body)) return { body, isReplayable: false };
  throw new TypeError('fetch cannot send a body of this kind');
}

/** Callers without types give anything at all. */
function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof (body as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator] === 'function';
}

function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Serialized once, so that a repeated form has the boundary that its content type names. */
async function packed(body: Blob | FormData | URLSearchParams): Promise<Payload> {
  const carrier = new Response(body);
  const contentType = carrier.headers.get('content-type');
  return { body: new Uint8Array(await carrier.arrayBuffer()), isReplayable: true, contentType };
}
