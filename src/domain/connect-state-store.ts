import type { AuthorizationId } from './authorization.js';

/** A connect that was started and whose callback has not come yet. */
export interface PendingConnect {
  readonly ownerId: string;
  readonly clientId: string;
  /** Exactly the string sent to Notion; the exchange repeats it byte for byte. */
  readonly redirectUri: string;
  /** Where to return to: a path on the application's own origin, or a URL on an allowed origin. */
  readonly returnTo: string;
  /** The authorization this connect must come back as; `null` for a new one. */
  readonly reconnect: AuthorizationId | null;
}

export interface ConnectStateKeys {
  /** SHA-256 of `state`; the value itself is never stored. */
  readonly stateHash: string;
  /** SHA-256 of the secret in the browser's cookie. */
  readonly browserHash: string;
}

/** How a connect whose state was consumed ended. */
export type ConnectOutcome = 'completed' | 'failed';

/** The rejections differ for logs and metrics, not for the browser. */
export type ConsumeResult =
  /** `atMs`: when, by the database's clock. */
  | { readonly kind: 'consumed'; readonly pending: PendingConnect; readonly atMs: number }
  /** Consumed before, by this browser, and the authorization is stored. */
  | { readonly kind: 'completed'; readonly pending: PendingConnect }
  /** Consumed before, by this browser, `usedForMs` ago; no outcome is known yet. */
  | { readonly kind: 'in_progress'; readonly usedForMs: number }
  | { readonly kind: 'unknown' | 'expired' | 'used' | 'wrong_browser' };

/** Pending connects. Lifetimes are judged by the database's clock, so replicas agree. */
export abstract class ConnectStateStore {
  /** Keeps `pending`; beyond `maxPerOwner` the owner's oldest pending connects are dropped. */
  abstract issue(
    keys: ConnectStateKeys,
    pending: PendingConnect,
    limits: { readonly lifetimeMs: number; readonly maxPerOwner: number },
  ): Promise<void>;

  /** Single use over all processes: of any number of callers with the same keys one gets `consumed`. */
  abstract consume(keys: ConnectStateKeys): Promise<ConsumeResult>;

  /** Records how a consumed connect ended, until its state expires. */
  abstract settle(stateHash: string, outcome: ConnectOutcome): Promise<void>;

  /** Deletes what expired; answers how many. */
  abstract prune(): Promise<number>;
}
