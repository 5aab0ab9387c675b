import { z } from 'zod';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/duration.js';

/** Node's timers fire at once when asked to wait longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const wholeMs = () =>
  z.int({ error: 'must be a positive whole number of milliseconds' }).positive({
    error: 'must be a positive whole number of milliseconds',
  });
const duration = (defaultMs: number, atMostMs = LONGEST_TIMER_MS) =>
  wholeMs()
    .max(atMostMs, { error: `must be at most ${atMostMs} ms` })
    .default(defaultMs);
const count = (defaultCount: number) =>
  z
    .int({ error: 'must be a positive whole number' })
    .positive({ error: 'must be a positive whole number' })
    .default(defaultCount);

export const refreshSchema = z.strictObject({
  callerWaitMs: duration(10 * SECOND_MS),
  requestTimeoutMs: duration(75 * SECOND_MS),
  leaseMs: duration(2 * MINUTE_MS),
  leaseMarginMs: duration(10 * SECOND_MS),
  quarantineMs: duration(10 * MINUTE_MS),
  restartGraceMs: duration(150 * SECOND_MS),
  maxTokenAgeMs: wholeMs().nullable().default(null),
  maxRetryAfterMs: duration(15 * MINUTE_MS),
  replay: z.enum(['once', 'never'], { error: "must be 'once' or 'never'" }).default('once'),
  journalFolder: z
    .string({ error: 'must be the path of a folder' })
    .min(1, { error: 'must be the path of a folder' })
    .nullable()
    .default(null),
  journalMaxBytes: count(64 * 2 ** 20),
  retainMs: duration(15 * MINUTE_MS),
  failoverHoldMs: duration(150 * SECOND_MS),
  drainMs: duration(75 * SECOND_MS),
  massDeadMinimum: count(5),
  maxConcurrent: count(8),
  maxQueued: count(1_000),
  maxRetained: count(100_000),
});

export const connectSchema = z.strictObject({
  stateLifetimeMs: duration(10 * MINUTE_MS),
  maxPendingPerOwner: count(20),
  maxWaiting: count(10_000),
  maxExchanges: count(100),
  // What the two must be to each other: `checkReturnOrigins`.
  defaultReturnTo: z.string({ error: 'must be a path or a URL' }).default('/'),
  allowedReturnOrigins: z
    .array(z.string({ error: 'must be an origin, such as https://app.example' }), {
      error: 'must be a list of origins, such as https://app.example',
    })
    .max(100, { error: 'has more than 100 entries' })
    .default([]),
  ownerFromState: z.boolean({ error: 'must be true or false' }).default(false),
  exchangeTimeoutMs: duration(75 * SECOND_MS),
});

export const revocationSchema = z.strictObject({
  waitMs: duration(5 * SECOND_MS),
  firstRetryMs: duration(10 * SECOND_MS),
  maxAttempts: count(20),
  maxAgeMs: duration(6 * HOUR_MS),
  maxConcurrent: count(100),
  lookEveryMs: duration(30 * SECOND_MS),
});

export const webhooksSchema = z.strictObject({
  maxBodyBytes: count(2 ** 20),
  rememberMs: duration(25 * HOUR_MS),
  maxEvents: count(100_000),
  maxConcurrent: count(8),
  maxQueued: count(1_000),
  drainMs: duration(25 * SECOND_MS),
});

export const eventsSchema = z.strictObject({
  lookEveryMs: duration(5 * SECOND_MS),
  leaseMs: duration(MINUTE_MS),
  maxDeliveries: count(20),
  keepMs: duration(7 * DAY_MS),
});

export const healthSchema = z.strictObject({
  minuteMs: duration(MINUTE_MS, MINUTE_MS),
});

export const outboundSchema = z.strictObject({
  maxConcurrentPerAuthorization: count(50),
  maxQueuedPerAuthorization: count(10_000),
  maxCalls: count(50_000),
  maxSockets: count(256),
  maxAnswerBytes: count(32 * 2 ** 20),
  maxReads: count(10_000),
  tokenCacheSize: count(10_000),
  tokenCacheTtlMs: duration(MINUTE_MS, MINUTE_MS),
  callTimeoutMs: duration(MINUTE_MS),
});
