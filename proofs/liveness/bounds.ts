import { MINUTE_MS, SECOND_MS } from '../../src/domain/duration.js';
import type { Tenant } from './tenants.js';

/** After a fault that hit it has ended, a healthy authorization is served within this. */
export const SERVED_WITHIN_MS = MINUTE_MS;
/** From the first call that meets a dead grant to the row that says so. */
export const MARKED_WITHIN_MS = 10 * MINUTE_MS;
/** From that row to the listener. */
export const HEARD_WITHIN_MS = 5 * MINUTE_MS;
/** `refresh.leaseMs` of the fleet: a tenant waits for at most one attempt of its own that a killed replica left. */
export const LEASE_MS = 45 * SECOND_MS;
/** A job that fails tries again after two seconds, so no tenant's undisturbed time is taken for less. */
export const LEAST_UNDISTURBED_MS = 2 * SECOND_MS;

/** Something that goes wrong on purpose, and whom it may keep waiting. */
export interface Fault {
  readonly kind: string;
  readonly startMs: number;
  endMs: number;
  readonly hits: (tenant: Tenant) => boolean;
  /** Whether it hits everybody. */
  readonly isFleetWide: boolean;
}

export class Faults {
  readonly all: Fault[] = [];

  begin(
    kind: string,
    startMs: number,
    hits: 'everybody' | ReadonlySet<Tenant>,
    endMs = Number.POSITIVE_INFINITY,
  ): Fault {
    const isFleetWide = hits === 'everybody';
    const fault: Fault = {
      kind,
      startMs,
      endMs,
      isFleetWide,
      hits: (tenant) => isFleetWide || hits.has(tenant),
    };
    this.all.push(fault);
    return fault;
  }

  /** By when a tenant that began to wait must be served, as far as the faults are known by now. */
  servedBy(tenant: Tenant, startedMs: number, undisturbedMs: number): number {
    const hitting = this.all.filter((fault) => fault.hits(tenant));
    return extended(startedMs + 2 * undisturbedMs, startedMs, hitting, SERVED_WITHIN_MS);
  }

  /** By when something about no tenant in particular must have happened that may take so long. */
  happensBy(startedMs: number, withinMs: number): number {
    return extended(
      startedMs + withinMs,
      startedMs,
      this.all.filter(({ isFleetWide }) => isFleetWide),
      withinMs,
    );
  }

  /** Kinds of those that were there at any time between. */
  during(fromMs: number, toMs: number): string[] {
    const there = this.all.filter(
      ({ startMs, endMs }) => startMs <= toMs && endMs + SERVED_WITHIN_MS >= fromMs,
    );
    return [...new Set(there.map(({ kind }) => kind))];
  }
}

/** A fault that begins before the time is over, and had not ended long before it began, moves its end. */
function extended(untilMs: number, startedMs: number, faults: readonly Fault[], withinMs: number): number {
  let endMs = untilMs;
  for (let last = Number.NaN; last !== endMs;) {
    last = endMs;
    for (const fault of faults) {
      if (fault.startMs <= endMs && fault.endMs + withinMs >= startedMs)
        endMs = Math.max(endMs, fault.endMs + withinMs);
    }
  }
  return endMs;
}

/**
 * Which rule is broken, by the number of the item that asks for it:
 *
 * - `slots`: (1) a tenant waits while others' claims are held elsewhere.
 * - `mass_revocation`: (2) a tenant waits for the breaker, or it did not open in time.
 * - `events`: (4) a dead grant's event was not heard.
 * - `failover`: (6) the breaker of a failover that was none.
 * - `other`: anything else.
 */
export const VIOLATION_KINDS = ['slots', 'mass_revocation', 'events', 'failover', 'other'] as const;
export type ViolationKind = (typeof VIOLATION_KINDS)[number];

export interface Violation {
  readonly kind: ViolationKind;
  readonly atMs: number;
  readonly tenant: string;
  readonly what: string;
  readonly faults: readonly string[];
}

export function describeViolation({ kind, atMs, tenant, what, faults }: Violation): string {
  const at = new Date(Math.floor(atMs)).toISOString().slice(11, 19);
  const day = atMs >= 86_400_000 ? '1+' : '';
  return `${kind} at ${day}${at} ${tenant}: ${what}${faults.length === 0 ? '' : ` (during ${faults.join(', ')})`}`;
}
