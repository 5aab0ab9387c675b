import type { IncomingHttpHeaders } from 'node:http';

/** The part of a request on which Express and Fastify agree. */
export interface ConnectRequest {
  readonly method?: string;
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

/** The path as it came in, without the query, which may hold a code. */
export function pathOf(request: Pick<ConnectRequest, 'url' | 'originalUrl'>): string {
  return (request.originalUrl ?? request.url).split('?', 1)[0]!;
}

/** Headers with which browsers announce a prefetch, a prerender or a preview: standard first, then older ones. */
const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const;

/**
 * Whether a user may never see the response: `HEAD`, or a request that announces itself as a prefetch or preview. The
 * connect routes do nothing for those (RFC 9110 section 9.2.1: they are taken for safe).
 */
export function isSpeculative({ method, headers }: ConnectRequest): boolean {
  if (method === 'HEAD') return true;
  return PURPOSE_HEADERS.some((name) =>
    /\b(?:prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  );
}

/**
 * Whether a script in a browser sent the request (`fetch`, axios, `XMLHttpRequest`): CORS keeps it from following a
 * redirect to Notion. A navigation always accepts `text/html`.
 */
export function isFromScript({ headers }: ConnectRequest): boolean {
  const accept = headers.accept ?? '';
  if (accept.includes('text/html')) return false;
  if (accept.includes('application/json')) return true;
  if (headers['x-requested-with'] !== undefined) return true;
  const { 'sec-fetch-mode': mode, 'sec-fetch-site': site, origin } = headers;
  // Node's own `fetch` sends the mode alone, and no CORS stops it.
  return (mode === 'cors' || mode === 'same-origin') && (site !== undefined || origin !== undefined);
}
