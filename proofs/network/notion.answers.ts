import type { Fault } from 'nestjs-notion-auth/testing';
import type { RefreshOutcome } from 'nestjs-notion-auth';

/** One odd answer of the token endpoint, and what it must come to. */
export interface OddAnswer {
  /** The row of the fault matrix. */
  readonly row: number;
  readonly name: string;
  readonly fault: Fault;
  readonly outcome: RefreshOutcome['kind'];
  /** Notion rotated, and nobody can read the successor: with strict rotation the authorization is lost. */
  readonly isFatal: boolean;
}

const unknown = (row: number, name: string, fault: Fault, isFatal: boolean): OddAnswer => ({
  row,
  name,
  fault,
  outcome: 'unknown',
  isFatal,
});
const notProcessed = (row: number, name: string, fault: Fault): OddAnswer => ({
  row,
  name,
  fault,
  outcome: 'not_processed',
  isFatal: false,
});

const PAGE = '<!DOCTYPE html><title>Just a moment…</title>';

/** Rows 23 to 28, as far as a single answer makes them. */
export const ODD_ANSWERS: readonly OddAnswer[] = [
  unknown(23, 'reset after the request, before processing', { kind: 'drop_before', reset: true }, false),
  unknown(23, 'closed after the request, before processing', { kind: 'drop_before' }, false),
  unknown(24, 'processed, answer lost by a reset', { kind: 'drop_after', reset: true }, true),
  unknown(24, 'processed, answer lost by a close', { kind: 'drop_after' }, true),
  unknown(26, 'body cut off', { kind: 'truncate' }, true),
  unknown(26, 'body cut off after 1 byte', { kind: 'truncate', bytes: 1 }, true),
  unknown(26, 'JSON cut, length right', { kind: 'cut_json' }, true),
  unknown(26, 'length too large', { kind: 'wrong_content_length', by: 7 }, true),
  unknown(26, 'length too small', { kind: 'wrong_content_length', by: -7 }, true),
  unknown(26, 'body too large', { kind: 'oversized_body', bytes: 100_000 }, true),
  unknown(26, '200 without access_token', { kind: 'missing_field' }, true),
  unknown(27, '200 with HTML, not processed', { kind: 'html', status: 200, body: PAGE }, false),
  unknown(27, '200 with HTML, processed', { kind: 'html', status: 200, body: PAGE, processed: true }, true),
  unknown(27, '500', { kind: 'status', status: 500 }, false),
  unknown(27, '502 HTML', { kind: 'html', status: 502 }, false),
  unknown(27, '503 HTML', { kind: 'html', status: 503 }, false),
  unknown(27, '504 HTML', { kind: 'html', status: 504 }, false),
  unknown(27, '504 HTML, processed', { kind: 'html', status: 504, processed: true }, true),
  unknown(27, 'redirect', { kind: 'redirect', status: 307, location: '/elsewhere' }, false),
  notProcessed(27, '403 HTML of the edge', { kind: 'html', status: 403, body: PAGE }),
  notProcessed(27, '401 HTML', { kind: 'html', status: 401, body: PAGE }),
  notProcessed(27, '400 without a code', { kind: 'status', status: 400, body: {} }),
  notProcessed(27, '404 without a code', { kind: 'status', status: 404, body: { message: 'no' } }),
  notProcessed(27, '400 validation_error', { kind: 'status', status: 400, code: 'validation_error' }),
  notProcessed(27, '409', { kind: 'status', status: 409, code: 'conflict_error' }),
  notProcessed(28, '429, no Retry-After', { kind: 'status', status: 429 }),
  notProcessed(28, '429, Retry-After that is none', { kind: 'status', status: 429, retryAfter: 'soon' }),
  notProcessed(28, '429, Retry-After -5', { kind: 'status', status: 429, retryAfter: '-5' }),
  notProcessed(28, '529, no Retry-After', { kind: 'status', status: 529 }),
];
