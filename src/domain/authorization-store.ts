import type {
  Authorization,
  AuthorizationId,
  AuthorizationStatus,
  NotionGrant,
  ReconnectReason,
  TokenPair,
} from './authorization.js';
import type { AttemptOutcome, NotionFailure, RefreshTrigger } from './refresh-outcome.js';
import type { RefreshGate } from './refresh-gate.js';
import type { RetainedChange } from './retained-change.js';
import type { PendingRevocation } from './revocation-outbox.js';
import type { AccessToken, Secret } from './secret.js';

/** The stored access token and what is known of its authorization, read from the primary. */
export interface StoredAccessToken {
  readonly status: AuthorizationStatus;
  readonly reason: ReconnectReason | null;
  readonly version: number;
  /** Milliseconds since this pair was stored, by the database's clock. */
  readonly ageMs: number;
  /** Milliseconds until the announced expiry (negative once passed); `null` while Notion announces none. */
  readonly expiresInMs: number | null;
  /** `null` once the secrets are erased. */
  readonly token: AccessToken | null;
}

export interface ClaimRequest {
  readonly authorizationId: AuthorizationId;
  readonly trigger: RefreshTrigger;
  /** The version whose token failed or is too old. A row that moved past it needs no refresh. */
  readonly seenVersion: number;
  /** How long nobody else may send, in milliseconds from the database's now. */
  readonly leaseMs: number;
}

/** The right to be the only sender for one version of one authorization, for as long as the lease lasts. */
export interface Claim {
  readonly authorizationId: AuthorizationId;
  readonly botId: string;
  readonly workspaceId: string;
  readonly attemptId: string;
  /** The version whose refresh token is about to be spent; what every store is guarded by. */
  readonly spentVersion: number;
  readonly leaseMs: number;
  readonly refreshToken: Secret;
  /** For recovery to ask about; `null` where a sweep claimed, which leaves unresolved attempts alone. */
  readonly accessToken: Secret | null;
  /** Set when an earlier attempt on this version may have reached Notion and its outcome is unknown. */
  readonly recovering: UnresolvedAttempt | null;
  /** Set when this attempt is the one that finds out whether a closed gate may open. */
  readonly probing: RefreshGate | null;
}

export interface UnresolvedAttempt {
  /** Milliseconds since the last such attempt on this version began, by the database's clock. */
  readonly ageMs: number;
  /** Whether the refresh token was presented again since, and that outcome is unknown as well. */
  readonly replayed: boolean;
}

/** Why there is nothing to claim. */
export type ClaimRefusal =
  | { readonly kind: 'moved'; readonly version: number }
  | { readonly kind: 'claimed_elsewhere'; readonly leaseLeftMs: number }
  | { readonly kind: 'postponed'; readonly retryInMs: number; readonly gate?: RefreshGate }
  | { readonly kind: 'needs_reconnect'; readonly reason: ReconnectReason }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'not_found' };

export type ClaimResult = { readonly kind: 'claimed'; readonly claim: Claim } | ClaimRefusal;

/** How an attempt ended, for the attempt journal. */
export interface AttemptEnding {
  readonly outcome: AttemptOutcome;
  readonly failure?: NotionFailure;
  /** Milliseconds between the first byte out and the answer (or the giving up). */
  readonly upstreamMs?: number;
}

/**
 * What an attempt without a new pair leaves behind. Each is one conditional statement, guarded by the attempt
 * itself: an attempt that was taken over, reconnected or disconnected meanwhile changes nothing.
 *
 * - `release` (T2): not sent, or refused for the client's sake; anybody may claim again.
 * - `postpone` (T3): nobody claims before `retryInMs` is over; with `gate`, nobody claims any authorization of the
 *   client before that.
 * - `needs_reconnect` (T5, T9, T10): only the user can help; the rejected refresh token is never presented again. Held
 *   back where it would be one of too many at once ({@link MassRevocationGuard}).
 * - `unknown` (T6): may be taken over, after `retryInMs`, by an attempt that resolves it first. `sent`: this attempt
 *   may itself have spent the token, so the quarantine counts from its beginning (guard `quarantineFromLastSend`);
 *   otherwise it goes on counting from where it did. `replayed`: it presented the token again.
 */
export type Settlement =
  | { readonly kind: 'release' }
  | { readonly kind: 'postpone'; readonly retryInMs: number; readonly gate?: RefreshGate }
  | {
      readonly kind: 'needs_reconnect';
      readonly reason: ReconnectReason;
      readonly guard: MassRevocationGuard | null;
    }
  | {
      readonly kind: 'unknown';
      readonly retryInMs: number;
      readonly sent: boolean;
      readonly replayed: boolean;
    };

/**
 * When rejected refresh tokens are taken for a fault of the whole client: as soon as `threshold` of the last
 * `2 × threshold` distinct tenants were rejected within `windowMs`. Two authorizations belong to one tenant where they
 * share a workspace or an owner. Then the `mass_dead` breaker opens: no refresh for `openForMs`, and after that one probe
 * at a time, each by a tenant that was not rejected, until one succeeds.
 */
export interface MassRevocationGuard {
  readonly threshold: number;
  readonly windowMs: number;
  readonly openForMs: number;
}

/**
 * - `settled`: done.
 * - `superseded`: the attempt was no longer ours to settle; nothing was changed.
 * - `held_back`: the mass-revocation breaker is open; the row stays active until it closes, and the attempt is over.
 */
export type SettleVerdict = 'settled' | 'superseded' | 'held_back';

/**
 * `stored: false` tells what stands there instead. A pair that came after a disconnect is in the outbox by then;
 * `revocations` are its tokens, claimed for the caller.
 */
export type StoreVerdict =
  | { readonly stored: true; readonly version: number }
  | {
      readonly stored: false;
      readonly version: number;
      readonly status: AuthorizationStatus | 'not_found';
      readonly revocations: readonly PendingRevocation[];
    };

export interface MassRevocationTending {
  /** Rejected authorizations to be introspected, each to be concluded with `concludeRejection`. */
  readonly heldBack: readonly HeldBackRejection[];
  readonly probe: MassRevocationProbeTokens | null;
}

export interface HeldBackRejection {
  readonly authorizationId: AuthorizationId;
  readonly version: number;
  /** `null` if it was replaced, or cannot be decrypted. */
  readonly refreshToken: Secret | null;
}

export interface MassRevocationProbeTokens {
  readonly refreshToken: Secret;
  readonly accessToken: Secret | null;
}

export interface NewConnection {
  readonly ownerId: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly grant: NotionGrant;
  readonly pair: TokenPair;
  /** The authorization that must come back; `null` to connect whatever the person chose. */
  readonly reconnect: AuthorizationId | null;
  /**
   * When Notion issued the pair, in milliseconds by the database's clock: what guards a late store. Default: now.
   */
  readonly exchangedAtMs?: number;
}

/** Where the pair of a connection is stored now. */
export interface StoredPlace {
  readonly authorizationId: AuthorizationId;
  readonly version: number;
}

/**
 * `stored` is `null` where the pair was not written: the row holds it already, or a newer one of the same grant.
 *
 * - `connected`, `reconnected`: the owner has the authorization.
 * - `other_grant`: the user came back with another workspace or account than `reconnect` asks for, so the owner is not
 *   linked to it. A pair of a grant that is stored and in use replaces the one that Notion may have ended. Of the two
 *   authorizations, `expected` and `renewed`, those of other owners are `null`.
 * - `disconnected`: this owner, or every owner, left after the exchange. `revocations` are the tokens of a pair that
 *   no authorization uses; they are in the outbox, claimed for the caller.
 */
export type ConnectResult =
  | {
      readonly kind: 'connected' | 'reconnected';
      readonly authorization: Authorization;
      readonly stored: StoredPlace | null;
    }
  | {
      readonly kind: 'other_grant';
      readonly expected: Authorization | null;
      readonly renewed: Authorization | null;
      readonly stored: StoredPlace | null;
    }
  | {
      readonly kind: 'disconnected';
      readonly stored: StoredPlace | null;
      readonly revocations: readonly PendingRevocation[];
    };

/**
 * - `unlinked`: other owners still use the authorization, so its tokens live on.
 * - `disconnected`: the tokens are erased here; `revocations` are those in the outbox, claimed for the caller. None
 *   where there was no token, or none that a key opens.
 */
export type DisconnectResult =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'unlinked' }
  | {
      readonly kind: 'disconnected';
      readonly version: number;
      readonly revocations: readonly PendingRevocation[];
    };

/**
 * Where authorizations live. The class is also its own injection token.
 *
 * Every change is guarded in the statement that makes it (rule R21); the row lock (`pessimistic_write` where the
 * engine has one) is held for milliseconds, never while Notion is asked. Time is the database's.
 *
 * What a request can reach takes the owner as well, and asks for both in its first statement: `findForOwner`,
 * `listForOwner`, `connect`, `disconnect`. The others are for the server's own work.
 */
export abstract class AuthorizationStore {
  abstract find(id: AuthorizationId): Promise<Authorization | null>;

  /** `null` alike for an unknown id and for one this owner is not linked to. */
  abstract findForOwner(id: AuthorizationId, ownerId: string): Promise<Authorization | null>;

  /** The owner's authorizations, oldest first. */
  abstract listForOwner(ownerId: string): Promise<readonly Authorization[]>;

  /** @throws {@link NotionKeyError} when the stored envelope cannot be opened. */
  abstract readAccessToken(id: AuthorizationId): Promise<StoredAccessToken | null>;

  /** T1 and T7: makes this process the only sender, or says what stands in the way. */
  abstract claim(request: ClaimRequest): Promise<ClaimResult>;

  /**
   * T1 and T7 for many: claims up to `limit` due authorizations in one transaction, passing over rows that somebody
   * else has locked. Costs what is claimed, not what is stored.
   */
  abstract claimDue(query: ClaimDueQuery): Promise<readonly Claim[]>;

  /** T2, T3, T5, T6, T9, T10. */
  abstract settle(claim: Claim, settlement: Settlement, ending: AttemptEnding): Promise<SettleVerdict>;

  /** T4: stores the successor of `claim.spentVersion`. Tests the version and nothing else. */
  abstract storePair(claim: Claim, pair: TokenPair, ending: AttemptEnding): Promise<StoreVerdict>;

  /**
   * What the mass-revocation breaker needs besides claims. Closed: up to `limit` authorizations that were held back.
   * Half-open: the tokens of an authorization whose tenant may probe, and some that were held back, the longest
   * unexamined first; for one process at a time. One read of two small tables where there is nothing to do.
   */
  abstract tendMassRevocation(limit: number): Promise<MassRevocationTending>;

  /**
   * Ends what the breaker held back, after introspection. Active: the rejection was a mistake, and the token may be
   * presented again. Inactive: `needs_reconnect` once the breaker is closed; while it is open, examined again later.
   * @returns whether the authorization was marked now.
   */
  abstract concludeRejection(held: HeldBackRejection, isActive: boolean): Promise<boolean>;

  /** Notion confirmed that another tenant's grant is alive: the breaker closes. */
  abstract closeMassRevocation(): Promise<void>;

  /** Without a refresh token there is nothing to claim: `needs_reconnect`, if `version` still stands. */
  abstract markWithoutRefreshToken(id: AuthorizationId, version: number): Promise<boolean>;

  /**
   * After a lost rotation the access token of `version` serves until Notion rejects it once (R17). This erases it, so
   * that no process sends it again. @returns whether it was there and is erased.
   */
  abstract eraseRejectedAccessToken(id: AuthorizationId, version: number): Promise<boolean>;

  /**
   * T11: a new authorization, or the same grant again under its old id. Its version outranks every version ever given
   * out, also those that a failover forgot (guard `bumpOutranksForgotten`): no late pair can match it. Revocations of
   * the grant that wait in the outbox are taken back, for they might end the new pair as well. Safe to repeat for the
   * same exchange, at any later time.
   */
  abstract connect(connection: NewConnection): Promise<ConnectResult>;

  /**
   * T12: unlinks the owner; the last one's leaving erases the secrets, moves the version as a reconnect does, and adds
   * the tokens to the outbox. Somebody else's authorization is not touched, locked or told apart from an unknown one.
   */
  abstract disconnect(id: AuthorizationId, ownerId: string): Promise<DisconnectResult>;

  /** T13: puts back what the row lost when the database went back in time. Tests for a lower version, nothing else. */
  abstract rollForward(retained: RetainedChange): Promise<RollForwardVerdict>;

  /** The stored versions of those that exist; for finding rows that went back in time. */
  abstract readVersions(ids: readonly AuthorizationId[]): Promise<ReadonlyMap<AuthorizationId, number>>;

  /** Active authorizations with an attempt that is unresolved and may be taken over now, oldest first. */
  abstract listUnresolved(limit: number): Promise<readonly VersionedAuthorization[]>;

  /** Hands back what dead processes of this machine had claimed, so that nobody waits for their leases. */
  abstract releaseDeadProcesses(): Promise<number>;
}

export interface ClaimDueQuery {
  /** Pairs stored longer ago than this, in milliseconds, are due; active and renewable ones, oldest first. */
  readonly olderThanMs: number;
  readonly limit: number;
  readonly leaseMs: number;
}

export interface VersionedAuthorization {
  readonly id: AuthorizationId;
  readonly version: number;
}

/**
 * - `rolled_forward`: the row has it again; `revocations` are the tokens that a disconnect found in the row.
 * - `up_to_date`: the row is there already, or past it; where it was disconnected meanwhile, `revocations` are the
 *   tokens of the pair that nobody will use.
 *
 * The revocations are in the outbox, claimed for the caller.
 */
export type RollForwardVerdict =
  | { readonly kind: 'rolled_forward'; readonly revocations: readonly PendingRevocation[] }
  | {
      readonly kind: 'up_to_date';
      readonly version: number;
      readonly status: AuthorizationStatus;
      readonly revocations: readonly PendingRevocation[];
    }
  | { readonly kind: 'not_found' };
