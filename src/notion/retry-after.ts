import { SECOND_MS } from '../domain/duration.js';

const SECONDS = /^\d{1,15}$/;
/** As senders write it, and the two obsolete forms that recipients still accept (RFC 9110 section 5.6.7). */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * `Retry-After` in milliseconds, from seconds or an HTTP date (RFC 9110 section 10.2.3); `undefined` for anything
 * else, a negative number included.
 */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const trimmed = value?.trim() ?? '';
  if (SECONDS.test(trimmed)) return Number(trimmed) * SECOND_MS;
  // Date.parse accepts far more than an HTTP date.
  if (!HTTP_DATES.some((form) => form.test(trimmed))) return undefined;
  const at = Date.parse(trimmed.endsWith('GMT') ? trimmed : `${trimmed} GMT`);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
