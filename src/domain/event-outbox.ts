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

/**
 * Events that are still to be delivered. Those about a change of a row are added by `AuthorizationStore` in the
 * transaction that makes the change: a crash between its commit and the delivery loses none.
 */
export abstract class EventOutbox {
  /** Claims what is due, oldest first, for so long; each of them is claimed by one process. */
  abstract claimDue(limit: number, leaseMs: number): Promise<readonly ClaimedEvent[]>;

  /** Its handlers are done; it is kept for a while, so that it is not raised again. */
  abstract confirm(claimed: ClaimedEvent): Promise<void>;

  /** Hands the claim back; due again in `retryInMs`. */
  abstract postpone(claimed: ClaimedEvent, retryInMs: number): Promise<void>;

  /** `false` when it was raised already, here or elsewhere. */
  abstract raise(noticed: NoticedEvent): Promise<boolean>;

  /** Removes what is older, delivered or not. */
  abstract prune(olderThanMs: number): Promise<void>;
}
