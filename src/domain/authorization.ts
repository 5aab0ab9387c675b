import type { Secret } from './secret.js';

/** The library's own id of an authorization (UUID); it survives every refresh and every reconnect. */
export type AuthorizationId = string;

export const AUTHORIZATION_STATUSES = ['active', 'needs_reconnect', 'revoked'] as const;

/**
 * - `active`: holds a token that is used until Notion refuses it.
 * - `needs_reconnect`: only the person can help, by connecting again.
 * - `revoked`: disconnected here; its secrets are erased.
 */
export type AuthorizationStatus = (typeof AUTHORIZATION_STATUSES)[number];

export const RECONNECT_REASONS = ['revoked_or_expired', 'lost_rotation', 'no_refresh_token'] as const;

/**
 * - `revoked_or_expired`: Notion answered `invalid_grant` for the stored refresh token.
 * - `lost_rotation`: Notion rotated the pair and its answer never reached us.
 * - `no_refresh_token`: the access token is refused and Notion never gave a refresh token.
 */
export type ReconnectReason = (typeof RECONNECT_REASONS)[number];

/** Who granted: a person, or (legacy tokens) a whole workspace. */
export type NotionOwnerKind = 'user' | 'workspace';

/**
 * What Notion says of a grant in its token answer, without the tokens.
 * @see https://developers.notion.com/reference/create-a-token
 */
export interface NotionGrant {
  readonly botId: string;
  readonly workspaceId: string;
  readonly workspaceName: string | null;
  /** A URL, historically also an emoji. */
  readonly workspaceIcon: string | null;
  readonly ownerKind: NotionOwnerKind;
  /** Notion's id of the person; `null` for a workspace grant. */
  readonly ownerUserId: string | null;
  /** The page made from the connection's template; Notion tells it once, on the first exchange. */
  readonly duplicatedTemplateId: string | null;
}

/** An access token and the refresh token that succeeds it; Notion may give no refresh token at all. */
export interface TokenPair {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | null;
  /** Lifetime that Notion announced, in milliseconds; `null` while Notion announces none. */
  readonly expiresInMs: number | null;
}

/** One Notion user's grant of one workspace to one Notion app. Holds no token. */
export interface Authorization extends NotionGrant {
  readonly id: AuthorizationId;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Scopes as introspection reported them, where it did. */
  readonly scopes: string | null;
  readonly status: AuthorizationStatus;
  /** Set exactly while the status is `needs_reconnect`. */
  readonly reason: ReconnectReason | null;
  readonly statusSince: Date;
  /** Grows by one with every stored pair; jumps, by the clock, with every reconnect and a disconnect. */
  readonly version: number;
  readonly hasRefreshToken: boolean;
  readonly pairStoredAt: Date;
  /** Announced expiry of the access token; `null` while Notion announces none. */
  readonly accessTokenExpiresAt: Date | null;
  readonly lastAttemptAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
