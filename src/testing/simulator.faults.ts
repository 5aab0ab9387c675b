import type { EndpointKind } from './endpoint.kind.js';

/** What a fault does with the answer, and whether the request was processed before. */
export type Fault = (
  | {
      /** The connection ends before the request is processed: nothing was spent. */
      readonly kind: 'drop_before';
      /** Ends it with a TCP reset instead of an orderly close. */
      readonly reset?: boolean;
    }
  | {
      /** The request is processed (a refresh token is spent), then the connection ends without an answer. */
      readonly kind: 'drop_after';
      readonly reset?: boolean;
    }
  | {
      /** Processed; the headers announce the whole body, the connection ends inside it. */
      readonly kind: 'truncate';
      /** How many bytes arrive. @defaultValue half of them */
      readonly bytes?: number;
    }
  | {
      /** Processed; the JSON is cut, but its length is announced correctly, so that only parsing notices. */
      readonly kind: 'cut_json';
    }
  | {
      /** An HTML page from the network edge: `cf-ray` is present, `x-notion-request-id` is not. */
      readonly kind: 'html';
      readonly status: number;
      readonly body?: string;
      /** @defaultValue `false` */
      readonly processed?: boolean;
    }
  | {
      /** Notion's own error body for that status, in the shape of the endpoint. */
      readonly kind: 'status';
      readonly status: number;
      /** Seconds, or any text to send as `Retry-After`. */
      readonly retryAfter?: number | string;
      /** @defaultValue Notion's code for the status */
      readonly code?: string;
      /** Replaces the whole body: an object is sent as JSON, a string as it is. */
      readonly body?: string | Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      /** @defaultValue `false` */
      readonly processed?: boolean;
    }
  | { readonly kind: 'redirect'; readonly status: 301 | 302 | 303 | 307 | 308; readonly location: string }
  | {
      /** A late answer. */
      readonly kind: 'delay';
      readonly ms: number;
      /** False to process the request only after the delay. @defaultValue `true` */
      readonly processed?: boolean;
    }
  | {
      /** Processed; headers at once, then the body byte by byte over this time. */
      readonly kind: 'slow_body';
      readonly ms: number;
    }
  | {
      /** Processed; valid JSON, padded to at least this many bytes. */
      readonly kind: 'oversized_body';
      readonly bytes: number;
    }
  | {
      /** Processed; the announced length is off by so many bytes. @defaultValue `7` */
      readonly kind: 'wrong_content_length';
      readonly by?: number;
    }
  | {
      /** Processed; fields of the JSON answer replaced, added, or left out. */
      readonly kind: 'override';
      readonly fields?: Readonly<Record<string, unknown>>;
      readonly omit?: readonly string[];
    }
  | {
      /** Processed; a token answer without one of its fields. @defaultValue `'access_token'` */
      readonly kind: 'missing_field';
      readonly field?: string;
    }
) & {
  /** Waits before the fault shows, in milliseconds, after processing where there is any. */
  readonly afterMs?: number;
};

export type FaultKind = Fault['kind'];

/**
 * Where a fault strikes: a kind of endpoint (`token` is both grants; `exchange` and `refresh` are one each;
 * `api` is everything that is not OAuth), or one exact path.
 */
export type FaultTarget = EndpointKind | 'exchange' | 'refresh' | `/${string}`;

export interface FaultScope {
  /** How many requests it strikes. @defaultValue every one until cleared */
  readonly times?: number;
  /** How many matching requests pass before it begins. @defaultValue `0` */
  readonly skip?: number;
  /** Only requests that present a token of this bot. */
  readonly botId?: string;
}

/** A fault in force or in the queue. */
export interface FaultHandle {
  /** How many requests it has struck. */
  readonly hits: number;
  /** Takes it back; requests already struck are not affected. */
  clear(): void;
}

/** What a fault is matched against. */
export interface FaultCandidate {
  readonly endpoint: EndpointKind;
  readonly path: string;
  readonly grantType: string | null;
  readonly botId: string | null;
}

interface PlannedFault {
  readonly target: FaultTarget;
  readonly fault: Fault;
  readonly botId?: string;
  toSkip: number;
  left: number;
  hits: number;
}

const UNPROCESSED_UNLESS_SAID: ReadonlySet<FaultKind> = new Set(['html', 'status', 'redirect']);

/** The faults to come, in the order they were asked for; a request meets at most one. */
export class FaultPlan {
  private planned: PlannedFault[] = [];

  add(target: FaultTarget, fault: Fault, scope: FaultScope = {}): FaultHandle {
    const { times = Infinity, skip = 0, botId } = scope;
    const plan: PlannedFault = { target, fault, botId, toSkip: skip, left: times, hits: 0 };
    this.planned.push(plan);
    return {
      get hits() {
        return plan.hits;
      },
      clear: () => {
        this.planned = this.planned.filter((other) => other !== plan);
      },
    };
  }

  clear(): void {
    this.planned = [];
  }

  /** The fault that this request meets, used up by one. */
  take(candidate: FaultCandidate): Fault | null {
    if (this.planned.length === 0) return null;
    const plan = this.planned.find((other) => strikes(other, candidate) && !skips(other));
    if (plan === undefined) return null;
    plan.hits += 1;
    plan.left -= 1;
    if (plan.left <= 0) this.planned = this.planned.filter((other) => other !== plan);
    return plan.fault;
  }
}

/** Whether the request takes effect although (or before) its answer fails. */
export function isProcessed(fault: Fault): boolean {
  if (fault.kind === 'drop_before') return false;
  return 'processed' in fault && fault.processed !== undefined
    ? fault.processed
    : !UNPROCESSED_UNLESS_SAID.has(fault.kind);
}

function skips(plan: PlannedFault): boolean {
  if (plan.toSkip === 0) return false;
  plan.toSkip -= 1;
  return true;
}

function strikes({ target, botId }: PlannedFault, candidate: FaultCandidate): boolean {
  if (botId !== undefined && botId !== candidate.botId) return false;
  if (target.startsWith('/')) return target === candidate.path;
  if (target === 'exchange') return candidate.grantType === 'authorization_code';
  if (target === 'refresh') return candidate.grantType === 'refresh_token';
  return target === candidate.endpoint;
}
