import type { NotionAuthOptions, RefreshTrigger, SweepOptions } from 'nestjs-notion-auth';
import type { KillOrder } from './steps.js';
import type { Tally } from './statistics.js';

/** How a replica is put together, besides its options. */
export interface ReplicaSetup {
  /** Wires the ports with subclasses that can kill the process at a step and that time the answer's window. */
  readonly watched?: boolean;
  /** Uses a PostgreSQL DataSource of the application's own (wiring `dataSource`) with a pool of so many. */
  readonly hostPool?: number;
  /** Shows the application's log. @defaultValue `false`, or `REPLICA_LOG` */
  readonly log?: boolean;
}

/** Work that goes on until it is stopped. */
export interface LoadPlan {
  readonly authorizationIds: readonly string[];
  /** `call`: through the official SDK. `token`: `getAccessToken`. `refresh`: a forced refresh. */
  readonly kind: 'call' | 'token' | 'refresh';
  /** So many at once. */
  readonly parallel: number;
  /** Pause of each worker between two, in milliseconds. @defaultValue `0` */
  readonly pauseMs?: number;
  readonly seed: number;
}

export type StallPhase = 'timer' | 'io';

/** What the parent asks of a replica, over the channel between the two processes. */
export type ReplicaCommand =
  | { readonly kind: 'start'; readonly options: NotionAuthOptions; readonly setup?: ReplicaSetup }
  /** Calls Notion `count` times at once through the official SDK. */
  | { readonly kind: 'call'; readonly authorizationId: string; readonly count: number }
  /** Asks `count` times at once for an access token. */
  | { readonly kind: 'tokens'; readonly authorizationId: string; readonly count: number }
  | {
      readonly kind: 'refresh';
      readonly authorizationId: string;
      readonly seenVersion?: number;
      readonly trigger?: RefreshTrigger;
    }
  /** Refreshes all of them at once. */
  | {
      readonly kind: 'refreshAll';
      readonly authorizationIds: readonly string[];
      readonly trigger?: RefreshTrigger;
    }
  | { readonly kind: 'sweep'; readonly options: SweepOptions }
  /** Seals everything anew with the first key; the process kills itself after so many batches, unless `null`. */
  | { readonly kind: 'rotateKeys'; readonly batchSize: number; readonly killAfter: number | null }
  | { readonly kind: 'startLoad'; readonly plan: LoadPlan }
  /** What the load has done so far; with `stop`, when what it had begun is over. */
  | { readonly kind: 'load'; readonly stop: boolean }
  /** The next time the step is reached, the process kills itself; `null` takes it back. */
  | { readonly kind: 'arm'; readonly order: KillOrder | null }
  | { readonly kind: 'stall'; readonly phase: StallPhase; readonly ms: number }
  | { readonly kind: 'stats' }
  /** Queries of the host application on its own pool, one every `everyMs`; answers their times in milliseconds. */
  | { readonly kind: 'hostQueries'; readonly forMs: number; readonly everyMs: number }
  /** Refreshes all at once, each while the host has a transaction of its own open, which it then rolls back. */
  | {
      readonly kind: 'refreshInTransactions';
      readonly authorizationIds: readonly string[];
      readonly waitMs: number;
    }
  /** A person comes back from Notion with this code, as the owner of this authorization. */
  | {
      readonly kind: 'reconnect';
      readonly authorizationId: string;
      readonly ownerId: string;
      readonly code: string;
    }
  /** The host writes to the library's SQLite file on a connection of its own and takes it back, so many times. */
  | { readonly kind: 'hostRollbacks'; readonly count: number }
  | { readonly kind: 'disconnect'; readonly authorizationId: string; readonly ownerId: string }
  | { readonly kind: 'stop' };

export interface CallsReport {
  readonly succeeded: number;
  /** How often each error code ended a call. */
  readonly failures: Tally;
  readonly tookMs: number;
}

export interface RefreshesReport {
  /** How often each kind of outcome, or `error:<code>`, was the answer. */
  readonly outcomes: Tally;
  readonly tookMs: number;
  /** Of each refresh, in milliseconds. */
  readonly timesMs: readonly number[];
}

export interface LoadReport {
  readonly done: number;
  /** How often each outcome kind, `ok`, or `error:<code>` was the answer. */
  readonly outcomes: Tally;
  /** Errors that are not of the library's own, documented kinds. */
  readonly untyped: number;
  readonly slowestMs: number;
}

export interface ReplicaStats {
  readonly rssBytes: number;
  /** Delay of the event loop since the last question, in milliseconds. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Refreshes whose answer is under way or not stored yet; watched replicas only. */
  readonly pending: number;
  /** How often each step was reached; watched replicas only. */
  readonly steps: Tally;
  /** From the answer's first byte here to its first durable byte, of each refresh; watched replicas only. */
  readonly windowMs: readonly number[];
  /** The same from when the answer was parsed. */
  readonly parsedWindowMs: readonly number[];
}

export interface TransactionReport {
  /** The kind of outcome, or `error:<code>`, or `still_waiting` for those that `waitMs` ended first. */
  readonly outcomes: Tally;
  readonly tookMs: number;
  /** Rows of the host's own that are left after its rollbacks: 0, or a refresh has committed the host's work. */
  readonly hostRows: number;
}

export interface ReplicaRequest {
  readonly id: number;
  readonly command: ReplicaCommand;
}

export type ReplicaReply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };
