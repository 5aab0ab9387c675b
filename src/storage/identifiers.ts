import type { Dialect } from './dialect.js';

const AUTHORIZATION_ID = /^[0-9A-Za-z-]{1,36}$/;
const LONGEST_OWNER_ID = 255;

/**
 * Whether `id` could be an authorization's. An object passed off as an id must never reach a query (CVE-2022-33171).
 * @throws TypeError when it is not a string at all.
 */
export function isAuthorizationId(id: unknown): boolean {
  if (typeof id !== 'string') throw new TypeError('An authorization id is a string.');
  return AUTHORIZATION_ID.test(id);
}

/**
 * An owner id is opaque, but an engine may shorten one that is too long, and then two owners would be one.
 * @throws TypeError unless it is a string of 1 to 255 characters without control characters.
 */
export function requireOwnerId(ownerId: unknown): string {
  if (typeof ownerId !== 'string' || !isOwnerId(ownerId)) {
    throw new TypeError('An owner id is a string of 1 to 255 characters without control characters.');
  }
  return ownerId;
}

function isOwnerId(ownerId: string): boolean {
  return ownerId.length > 0 && ownerId.length <= LONGEST_OWNER_ID && !/\p{Cc}|\p{Cs}/u.test(ownerId);
}

/**
 * `column = :clientId` for statements that name their rows by id. Said so that no index serves it: a planner without
 * statistics takes one client's rows for few, and would read all of them instead of the few that are named.
 */
export function isOfClient(column: string): string {
  return `COALESCE(${column}, '') = :clientId`;
}

/**
 * `column` is one of the parameter `:ids`: one array where the engine has them, because each of many parameters is
 * looked at, bound and planned for itself.
 */
export function isAmongIds({ family }: Dialect, column: string): string {
  return family === 'postgres' ? `${column} = ANY(:ids)` : `${column} IN (:...ids)`;
}
