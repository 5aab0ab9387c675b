import type { IncomingHttpHeaders } from 'node:http';

/** The part of a request on which Express and Fastify agree. */
export interface ConnectRequest {
  readonly url: string;
  /** Express: the URL before routers stripped their mount path. */
  readonly originalUrl?: string;
  readonly headers: IncomingHttpHeaders;
  /** By the application's `trust proxy` setting the `X-Forwarded-Host` of its proxy, else the `Host` header. */
  readonly host?: string;
}

/**
 * The query as it came in, without the `?`. Read instead of `request.query`, whose shape (arrays, nested objects,
 * the last of two) depends on the application's query parser.
 */
export function rawQueryOf(request: ConnectRequest): string {
  const url = request.originalUrl ?? request.url;
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}
