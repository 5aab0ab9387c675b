import type { Secret } from './secret.js';

/** What one look at the stored verification tokens finds. */
export interface WebhookTokensReading {
  /** The newest first. What no key opens is left out. */
  readonly tokens: readonly Secret[];
  /** Whether a pairing window is open, by the database's clock. */
  readonly isOpen: boolean;
}

/**
 * Verification tokens of the client's webhook subscription that came by pairing, sealed. A token is added only in a
 * window that somebody has opened, one per window, and never in the place of another.
 */
export abstract class WebhookTokens {
  abstract read(): Promise<WebhookTokensReading>;

  /** Opens a window for one token; one that is open already is replaced. @returns when it closes. */
  abstract open(durationMs: number): Promise<Date>;

  /** Keeps the token if a window is open, and closes it: of two that come at once one is kept. */
  abstract keep(token: Secret): Promise<boolean>;

  /** Removes all but the newest token, and closes the window. @returns how many tokens went. */
  abstract retire(): Promise<number>;
}
