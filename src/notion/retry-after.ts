import { SECOND_MS } from '../domain/duration.js';

/**
 * `Retry-After` in milliseconds, from seconds or an HTTP date (RFC 9110 section 10.2.3); `undefined` for anything
 * else, a negative number included.
 */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const trimmed = value?.trim() ?? '';
  if (/^\d{1,15}$/.test(trimmed)) return Number(trimmed) * SECOND_MS;
  // Date.parse accepts far more than an HTTP date; every HTTP date begins with the name of a day.
  if (!/^[A-Z][a-z]{2,8}, /.test(trimmed) || trimmed.length > 40) return undefined;
  const at = Date.parse(trimmed);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
