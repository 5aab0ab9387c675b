import type { AuthorizationId } from './authorization.js';
import type { NotionAuthEvent, NotionEventName } from './notion-event.js';

/** An event that this process is to deliver. */
export interface ClaimedEvent {
  readonly event: NotionAuthEvent;
  /** Which delivery this is, counted from 1. */
  readonly delivery: number;
}

/** Something that this process noticed, as opposed to a change of a row. */
export interface NoticedEvent {
  /** The same in every process that notices the same thing. */
  readonly id: string;
  readonly name: NotionEventName;
  readonly authorizationId: AuthorizationId;
}

/** What a process can deliver now. */
export interface EventClaimQuery {
  /** The most to claim of each name. A name that is missing here is left to other processes. */
  readonly limits: ReadonlyMap<NotionEventName, number>;
  /** How long the claims hold, in milliseconds. */
  readonly leaseMs: number;
  /** Retention in milliseconds: an older event is never claimed. */
  readonly keepMs: number;
}

/**
 * Events that are still to be delivered. Those about a change of a row are added by `AuthorizationStore` in the
 * transaction that makes the change: a crash between its commit and the delivery loses none.
 */
export abstract class EventOutbox {
  /** Claims what is due of the names that are asked for, oldest first; each event is claimed by one process. */
  abstract claimDue(query: EventClaimQuery): Promise<readonly ClaimedEvent[]>;

  /** Its handlers are done; it is kept for a while, so that it is not raised again. */
  abstract confirm(claimed: ClaimedEvent): Promise<void>;

  /** Hands the claim back; due again in `retryInMs`. */
  abstract postpone(claimed: ClaimedEvent, retryInMs: number): Promise<void>;

  /** `false` when it was raised already, here or elsewhere. */
  abstract raise(noticed: NoticedEvent): Promise<boolean>;

  /** Removes one batch of older events, delivered or not. @returns whether there may be more. */
  abstract prune(olderThanMs: number): Promise<boolean>;
}
