import type { NotionGrant, TokenPair } from './authorization.js';
import type { NotionFailure } from './refresh-outcome.js';
import type { Secret } from './secret.js';

/** Classes of refusal, by what they say of the token that was sent. */
export const FAILURE_CLASSES = ['not_sent', 'not_processed', 'configuration', 'dead', 'unknown'] as const;

/**
 * - `not_sent`: no byte of the request left; the token is unspent.
 * - `not_processed`: Notion refused without looking at the token (429, 529, 409, 4xx without an OAuth code).
 * - `configuration`: the client's own credentials were refused; says nothing about any authorization.
 * - `dead`: `invalid_grant`.
 * - `unknown`: it may have been processed, and the answer is not had.
 */
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export interface ClassifiedFailure {
  readonly kind: FailureClass;
  readonly failure: NotionFailure;
}

/** What a code was exchanged for; an answer without the grant's identity is no success. */
export type ExchangeAnswer =
  | {
      readonly kind: 'success';
      readonly pair: TokenPair;
      readonly grant: NotionGrant;
      readonly requestId?: string;
    }
  | ClassifiedFailure;

/**
 * What a refresh token was spent for. Only the tokens are demanded of it: by then the successor exists nowhere else,
 * so nothing less may be a reason to drop it.
 */
export type RefreshAnswer =
  { readonly kind: 'success'; readonly pair: TokenPair; readonly requestId?: string } | ClassifiedFailure;

/**
 * What introspection says of one token. `useless`: no verdict about the token could be had (no answer, an error
 * that concerns the client, or a body that does not parse).
 */
export type IntrospectionAnswer =
  | { readonly kind: 'active'; readonly scopes: string | null }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'useless'; readonly failure: NotionFailure };

export interface TokenRequestLimits {
  /** Milliseconds from the start of the request until it is given up as `unknown`. */
  readonly timeoutMs: number;
  /**
   * Checked when the connection is established, before the first byte, with the time that this request may take: the
   * process may have been paused since. `false` ends the request as `not_sent`. Default: always allowed.
   */
  readonly maySend?: (timeoutMs: number) => boolean;
}

/**
 * Notion's OAuth endpoints. Each call is one request on a connection of its own: no retry, no redirect, not
 * cancellable. Resolves with a classified answer and never rejects for what Notion or the network did.
 * @see https://developers.notion.com/guides/get-started/authorization
 */
export abstract class NotionOAuth {
  /** Where to send the browser. Holds nothing but configuration and `state`. */
  abstract authorizeUrl(parameters: { readonly state: string; readonly redirectUri: string }): string;

  /** Spends an authorization code. Sent at most once: reuse may revoke what was issued (RFC 6749 section 4.1.2). */
  abstract exchange(code: Secret, redirectUri: string): Promise<ExchangeAnswer>;

  /** Spends a refresh token (RFC 6749 section 6). */
  abstract refresh(refreshToken: Secret, limits: TokenRequestLimits): Promise<RefreshAnswer>;

  /** Asks about a token without spending it (RFC 7662). */
  abstract introspect(token: Secret): Promise<IntrospectionAnswer>;

  /**
   * Best effort (RFC 7009). `true` when Notion confirmed, also for a token that was already dead.
   * @param isStillWanted - Asked when the connection stands, right before the first byte; nothing is sent on `false`
   * or when it rejects. Default: always wanted.
   */
  abstract revoke(token: Secret, isStillWanted?: () => Promise<boolean>): Promise<boolean>;
}
