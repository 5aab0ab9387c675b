import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { AuthorizationStore, type StoredAccessToken } from '../domain/authorization-store.js';
import {
  NotionAuthorizationNotFoundError,
  NotionReconnectRequiredError,
  NotionRefreshBusyError,
  NotionRefreshFailedError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { Clock } from '../domain/clock.js';
import type { RefreshOutcome } from '../domain/refresh-outcome.js';
import type { AccessToken } from '../domain/secret.js';
import { AccessTokenCache } from './access-token.cache.js';
import { pause, waitAtMost } from './bounded-wait.js';
import { NotionRefreshService, type RefreshRequest } from './notion-refresh.service.js';
import { RollForward } from './roll-forward.js';
import { SingleFlight } from './single-flight.js';
import { storeCall } from './store-call.js';

export interface GetAccessTokenOptions {
  /** The token that Notion answered 401 `unauthorized` for: one of a later version is wanted. */
  readonly rejected?: AccessToken;
  /** Ends this caller's wait; a refresh that is under way goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Gives a usable access token. Notion announces no expiry, so a token is usable until Notion refuses it, or until
 * the application's own `refresh.maxTokenAgeMs`; nothing is refreshed to be safe. Asks for no owner: not for ids that
 * come with a request.
 */
@Injectable()
export class NotionTokenService {
  private readonly reads = new SingleFlight<StoredAccessToken | null>();

  constructor(
    private readonly store: AuthorizationStore,
    private readonly refreshes: NotionRefreshService,
    private readonly cache: AccessTokenCache,
    private readonly rollForward: RollForward,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {}

  /**
   * Answers from memory, else from the row, else by a refresh; never waits for a refresh that nobody needs.
   * @throws {@link NotionReconnectRequiredError} when only the person can help. No request was made.
   * @throws {@link NotionRefreshBusyError} when somebody else's refresh outlasted `refresh.callerWaitMs`, or too many
   * wait already (`refresh.maxQueued`, `outbound.maxReads`).
   * @throws {@link NotionRefreshFailedError} when the token could not be renewed now.
   * @throws {@link NotionAuthorizationNotFoundError} when there is no such authorization.
   * @throws {@link NotionStoreUnavailableError} when the store does not answer.
   */
  async getAccessToken(id: AuthorizationId, options: GetAccessTokenOptions = {}): Promise<AccessToken> {
    const cached = this.cache.get(id);
    if (cached !== undefined && isNewer(cached.version, options.rejected)) return cached;
    return this.load(id, options);
  }

  /** Drops what is kept in memory, as after a disconnect. */
  forget(id: AuthorizationId): void {
    this.cache.forget(id);
  }

  private async load(id: AuthorizationId, options: GetAccessTokenOptions): Promise<AccessToken> {
    const timeoutMs = this.config.refresh.callerWaitMs;
    const stored = await waitAtMost(this.read(id), { timeoutMs, signal: options.signal });
    if (stored === 'timed_out') {
      throw new NotionStoreUnavailableError({
        detail: `Timed out after ${String(timeoutMs)} ms reading authorization ${id} from the database. Check the database, the network to it and its connection pool, and retry later.`,
      });
    }
    if (stored === null) throw new NotionAuthorizationNotFoundError();
    if (stored.status === 'revoked') throw new NotionReconnectRequiredError(id, 'disconnected');
    const usable = usableToken(stored, options.rejected);
    if (usable === null) return this.renew(id, stored, options);
    // Nothing can renew it, and it is not kept in memory: another process may have found it rejected.
    if (stored.status !== 'active') return usable;
    return this.isTooOld(stored) ? this.renewAged(id, stored, usable, options) : this.keep(usable, stored);
  }

  /**
   * By policy only: the old token still works, so it serves on where the refresh does not come to an end.
   */
  private async renewAged(
    id: AuthorizationId,
    stored: StoredAccessToken,
    usable: AccessToken,
    options: GetAccessTokenOptions,
  ): Promise<AccessToken> {
    try {
      return await this.renew(id, stored, options, hasExpired(stored) ? undefined : 0);
    } catch (error) {
      const passing = error instanceof NotionRefreshFailedError || error instanceof NotionRefreshBusyError;
      if (passing && !hasExpired(stored)) return usable;
      throw error;
    }
  }

  private async renew(
    id: AuthorizationId,
    stored: StoredAccessToken,
    { rejected, signal }: GetAccessTokenOptions,
    retryWithinMs = this.config.refresh.callerWaitMs,
  ): Promise<AccessToken> {
    const trigger = rejected === undefined ? 'schedule' : 'unauthorized';
    const outcome = await this.refreshUntilSettled(
      id,
      { trigger, seenVersion: stored.version, signal },
      retryWithinMs,
    );
    if (outcome.kind === 'renewed' || outcome.kind === 'followed')
      return this.readRenewed(id, outcome.version);
    // What is in memory would be tried, and refused, by every further call.
    if (outcome.kind === 'needs_reconnect' || outcome.kind === 'revoked') this.cache.forget(id);
    throw failureOf(id, outcome);
  }

  /** Waits for what will pass within `retryWithinMs`, such as a short `Retry-After`; returns at once what will not. */
  private async refreshUntilSettled(
    id: AuthorizationId,
    request: RefreshRequest,
    retryWithinMs: number,
  ): Promise<RefreshOutcome> {
    const elapsedMs = this.clock.stopwatch();
    for (;;) {
      const waitTimeoutMs = Math.max(0, this.config.refresh.callerWaitMs - elapsedMs());
      const outcome = await this.refreshes.refresh(id, { ...request, waitTimeoutMs });
      if (!('retryInMs' in outcome) || elapsedMs() + outcome.retryInMs >= retryWithinMs) return outcome;
      await pause({ timeoutMs: outcome.retryInMs, signal: request.signal });
    }
  }

  private async readRenewed(id: AuthorizationId, version: number): Promise<AccessToken> {
    const cached = this.cache.get(id);
    if (cached !== undefined && cached.version >= version) return cached;
    let stored = await this.read(id);
    // The read that we joined may have begun before the new pair was stored; the next one cannot have.
    if (stored !== null && stored.version < version) stored = await this.read(id);
    if (stored?.token == null) throw new NotionReconnectRequiredError(id, stored?.reason ?? 'disconnected');
    return this.keep(stored.token, stored);
  }

  private read(id: AuthorizationId): Promise<StoredAccessToken | null> {
    const isFull = this.reads.size >= this.config.outbound.maxReads && !this.reads.has(id);
    if (isFull) return Promise.reject(new NotionRefreshBusyError(id));
    return this.reads.join(id, () => storeCall(this.readOnce(id)));
  }

  private async readOnce(id: AuthorizationId): Promise<StoredAccessToken | null> {
    const stored = await this.store.readAccessToken(id);
    // A failover may have taken the row back behind what this process has stored there.
    const repaired = stored !== null && (await this.rollForward.repair(id, stored.version));
    return repaired ? this.store.readAccessToken(id) : stored;
  }

  private keep(token: AccessToken, stored: StoredAccessToken): AccessToken {
    const { maxTokenAgeMs } = this.config.refresh;
    const untilTooOldMs = maxTokenAgeMs === null ? Number.POSITIVE_INFINITY : maxTokenAgeMs - stored.ageMs;
    this.cache.put(token, Math.min(untilTooOldMs, stored.expiresInMs ?? Number.POSITIVE_INFINITY));
    return token;
  }

  private isTooOld(stored: StoredAccessToken): boolean {
    const { maxTokenAgeMs } = this.config.refresh;
    return hasExpired(stored) || (maxTokenAgeMs !== null && stored.ageMs >= maxTokenAgeMs);
  }
}

/** Decided by version, not by freshness (rule R2). */
function isNewer(version: number, rejected: AccessToken | undefined): boolean {
  return rejected === undefined || version > rejected.version;
}

/**
 * The stored token, unless it is the refused one. A lost rotation may have left the old access token alive, so it
 * serves until Notion refuses it (rule R17).
 */
function usableToken(stored: StoredAccessToken, rejected: AccessToken | undefined): AccessToken | null {
  const mayServe = stored.status === 'active' || stored.reason === 'lost_rotation';
  return mayServe && isNewer(stored.version, rejected) ? stored.token : null;
}

function hasExpired(stored: StoredAccessToken): boolean {
  return stored.expiresInMs !== null && stored.expiresInMs <= 0;
}

function failureOf(
  id: AuthorizationId,
  outcome: Exclude<RefreshOutcome, { kind: 'renewed' | 'followed' }>,
): NotionReconnectRequiredError | NotionRefreshBusyError | NotionRefreshFailedError {
  switch (outcome.kind) {
    case 'needs_reconnect':
      return new NotionReconnectRequiredError(id, outcome.reason);
    case 'revoked':
      return new NotionReconnectRequiredError(id, 'disconnected');
    case 'busy':
      return new NotionRefreshBusyError(id);
    case 'postponed':
      return new NotionRefreshFailedError(id, 'postponed', {}, outcome.retryInMs);
    default:
      return new NotionRefreshFailedError(id, outcome.kind, outcome.failure, outcome.retryInMs);
  }
}
