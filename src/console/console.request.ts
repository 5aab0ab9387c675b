import { rawQueryOf, type ConnectRequest } from '../connect/connect-request.js';
import { TIME_SPANS, type TimeSpan } from '../domain/time-grid.js';
import { AUTHORIZATION_STATUSES, type AuthorizationStatus } from '../domain/authorization.js';
import type { DirectoryPlace } from '../domain/authorization-directory.js';

/** On which Express and Fastify agree. */
export interface ConsoleRequest extends ConnectRequest {
  readonly body?: unknown;
}

const LONGEST_SEARCH = 128;
const LONGEST_PLACE = 64;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BARE_UUID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The first of each name; what frameworks make of a query depends on their parser. */
export function queryOf(request: ConsoleRequest): URLSearchParams {
  return new URLSearchParams(rawQueryOf(request));
}

/** A field of a form, if it is one and plain text. */
export function fieldOf({ body }: ConsoleRequest, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined;
  const value = (body as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

export function spanIn(query: URLSearchParams): TimeSpan {
  return TIME_SPANS.find((span) => span === query.get('span')) ?? '24h';
}

export function statusIn(query: URLSearchParams): AuthorizationStatus | undefined {
  return AUTHORIZATION_STATUSES.find((status) => status === query.get('status'));
}

/** What people look for, as a database takes it: no control characters, no halves of characters, not too much. */
export function searchIn(query: URLSearchParams): string | undefined {
  const text = (query.get('q') ?? '')
    .slice(0, LONGEST_SEARCH)
    .replaceAll(/\p{Cc}|\p{Cs}/gu, ' ')
    .trim();
  // Notion's own pages show ids without their dashes.
  return text === '' ? undefined : text.replace(BARE_UUID, '$1-$2-$3-$4-$5');
}

/** Where the page before ended, as {@link placeText} wrote it. */
export function placeIn(query: URLSearchParams): DirectoryPlace | undefined {
  const [sinceMs = '', id = ''] = (query.get('after') ?? '').slice(0, LONGEST_PLACE).split('_');
  if (!/^\d{1,15}$/.test(sinceMs) || !isUuid(id)) return undefined;
  return { statusSince: new Date(Number(sinceMs)), id };
}

export function placeText({ statusSince, id }: DirectoryPlace): string {
  return `${String(statusSince.getTime())}_${id}`;
}
