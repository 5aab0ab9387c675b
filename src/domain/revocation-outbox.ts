import type { AuthorizationId } from './authorization.js';
import { MINUTE_MS } from './duration.js';
import type { Secret } from './secret.js';

/** How long a claimed revocation is its claimant's: more than two requests to Notion take, each to its own timeout. */
export const REVOCATION_LEASE_MS = MINUTE_MS;

/** A token that is erased here and that Notion has yet to be told of, claimed by this process. */
export interface PendingRevocation {
  readonly id: string;
  readonly authorizationId: AuthorizationId;
  readonly token: Secret;
  /** Which attempt this claim is for, counted from 1. */
  readonly attempt: number;
  /** Milliseconds since the token was erased here, by the database's clock. */
  readonly ageMs: number;
}

/** What ends a revocation that Notion never confirmed. */
export interface RevocationLimits {
  readonly maxAttempts: number;
  readonly maxAgeMs: number;
}

export interface ClaimedRevocations {
  readonly claimed: readonly PendingRevocation[];
  /** Erased without Notion's word: past a limit, with nobody left who tries. */
  readonly givenUp: readonly AuthorizationId[];
}

/**
 * Tokens to be revoked at Notion, kept sealed until it has confirmed: neither a crash nor an outage of Notion between
 * the erasure and the confirmation loses them. `AuthorizationStore` adds them in the transaction that erases, and
 * takes them back in the transaction that brings the grant to life again.
 */
export abstract class RevocationOutbox {
  /**
   * Claims what is due, oldest first, for {@link REVOCATION_LEASE_MS}; each of them is claimed by one process. What it
   * has no key for is left to those who have.
   */
  abstract claimDue(limit: number, limits: RevocationLimits): Promise<ClaimedRevocations>;

  /**
   * Begins the lease again, in one conditional statement right before the request. `false` when the revocation must
   * not be sent: the grant was connected again, or the claim has passed to another process.
   */
  abstract renewClaim(revocation: PendingRevocation): Promise<boolean>;

  /** Notion has confirmed, or nobody will ask it any more: the sealed token is erased. */
  abstract remove(id: string): Promise<void>;

  /** Hands the claim back; due again in `retryInMs`. */
  abstract postpone(revocation: PendingRevocation, retryInMs: number): Promise<void>;
}
