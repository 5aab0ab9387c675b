import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import {
  connectSchema,
  eventsSchema,
  healthSchema,
  outboundSchema,
  refreshSchema,
  revocationSchema,
  webhooksSchema,
} from './limits.schema.js';
import { readProxy } from './proxy.option.js';
import { readVerificationTokens } from './webhooks.option.js';
import type { z } from 'zod';

/** Durations and counts of every section, and what they must be to each other. */
export function readLimits(
  options: Partial<NotionAuthOptions>,
  upstream: Parameters<typeof readProxy>[1],
  findings: ConfigFindings,
): Pick<
  NotionAuthConfig,
  'refresh' | 'connect' | 'outbound' | 'revocation' | 'webhooks' | 'events' | 'health'
> {
  const refresh = readSection('refresh', refreshSchema, options.refresh, findings);
  checkRefreshTimes(refresh, findings);
  return {
    refresh,
    connect: readSection('connect', connectSchema, options.connect, findings),
    outbound: {
      ...readSection('outbound', outboundSchema, without('proxy', options.outbound), findings),
      proxy: readProxy(options, upstream, findings),
    },
    revocation: readSection('revocation', revocationSchema, options.revocation, findings),
    webhooks: {
      ...readSection('webhooks', webhooksSchema, without('verificationTokens', options.webhooks), findings),
      verificationTokens: readVerificationTokens(options, findings),
    },
    events: readSection('events', eventsSchema, options.events, findings),
    health: readSection('health', healthSchema, options.health, findings),
  };
}

/** The section but for the option that has rules of its own. */
function without(option: string, given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).filter(([name]) => name !== option));
}

/** The section with its defaults; the defaults alone when something in it is wrong. */
function readSection<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  given: unknown,
  findings: ConfigFindings,
): z.output<Schema> {
  const result = schema.safeParse(given ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) findings.problem(`${name}.${key}`, 'is not an option');
    } else {
      findings.problem([name, ...issue.path].map(String).join('.'), issue.message);
    }
  }
  return schema.parse({});
}

/** The claim's own commit and the look before sending take some of the lease; without this no request could begin. */
const CLAIM_TIME_MS = SECOND_MS / 2;

/** A sender must hear its answer, or give up, before anybody else may send (rules R4 and R5 of the protocol). */
function checkRefreshTimes(refresh: NotionAuthConfig['refresh'], findings: ConfigFindings): void {
  const { leaseMs, requestTimeoutMs, leaseMarginMs, quarantineMs } = refresh;
  const needed = requestTimeoutMs + leaseMarginMs + CLAIM_TIME_MS;
  if (leaseMs < needed) {
    findings.problem(
      'refresh.leaseMs',
      `${leaseMs} is less than requestTimeoutMs ${requestTimeoutMs} + leaseMarginMs ${leaseMarginMs} + ${CLAIM_TIME_MS} for the claim itself = ${needed}`,
    );
  }
  if (quarantineMs < leaseMs) {
    findings.warning(
      'refresh.quarantineMs',
      `${quarantineMs} is less than leaseMs ${leaseMs}: a process that restarts has no time to bring its answer`,
    );
  }
  const holdAtLeastMs = Math.max(leaseMs, refresh.restartGraceMs);
  if (refresh.failoverHoldMs < holdAtLeastMs) {
    findings.warning(
      'refresh.failoverHoldMs',
      `${refresh.failoverHoldMs} is less than ${holdAtLeastMs}, the longer of leaseMs and restartGraceMs: after a failover a spent token may be sent again`,
    );
  }
  if (requestTimeoutMs < MINUTE_MS) {
    findings.warning(
      'refresh.requestTimeoutMs',
      `${requestTimeoutMs} is less than the ${MINUTE_MS} after which Notion gives up: more outcomes stay unknown`,
    );
  }
}
