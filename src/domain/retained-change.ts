import type { AuthorizationId, TokenPair } from './authorization.js';

/** A pair and the version it was, or is to be, stored as. */
export interface RetainedPair {
  readonly kind: 'pair';
  readonly authorizationId: AuthorizationId;
  /** The version of this pair: one more than the version that was spent for it. */
  readonly version: number;
  readonly pair: TokenPair;
  /** The refresh that brought it; `null` for a connect. */
  readonly attemptId: string | null;
}

/** A disconnect, which must not come undone either. */
export interface RetainedDisconnect {
  readonly kind: 'disconnect';
  readonly authorizationId: AuthorizationId;
  readonly version: number;
}

/** What this process knows to be the newest of an authorization, in case the database forgets it. */
export type RetainedChange = RetainedPair | RetainedDisconnect;
