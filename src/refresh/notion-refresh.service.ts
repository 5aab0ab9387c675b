import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import pLimit from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import {
  AuthorizationStore,
  type Claim,
  type ClaimRefusal,
  type StoreVerdict,
} from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionAuthorizationNotFoundError } from '../domain/errors.js';
import { NotionOAuth, type ClassifiedFailure, type RefreshAnswer } from '../domain/notion-oauth.js';
import type { NotionFailure, RefreshOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { AccessToken } from '../domain/secret.js';
import { AccessTokenCache } from './access-token.cache.js';
import { growingWaits } from './backoff.js';
import { waitAtMost } from './bounded-wait.js';
import { UnknownOutcomeRecovery } from './recovery.js';
import { verdictOn, type Verdict } from './settlement.js';
import { SingleFlight } from './single-flight.js';

/** How often waiters look whether the process that claimed has finished. */
const FIRST_LOOK_MS = 40;
const LONGEST_LOOK_MS = 500;
const FIRST_STORE_RETRY_MS = 50;
const LONGEST_STORE_RETRY_MS = 2 * SECOND_MS;

type SuccessfulAnswer = Extract<RefreshAnswer, { kind: 'success' }>;

export interface RefreshRequest {
  readonly trigger: RefreshTrigger;
  /** The version to be succeeded; a row that is past it is left alone. Default: whatever is stored now. */
  readonly seenVersion?: number;
  /** Ends this caller's wait, never the refresh. */
  readonly signal?: AbortSignal;
}

/** A claim, and until when (monotonic) the request may still begin. */
interface HeldClaim {
  readonly claim: Claim;
  readonly sendBeforeMs: number;
  readonly trigger: RefreshTrigger;
}

/**
 * Renews a pair exactly once, however many callers and processes ask: claim, send, store.
 * Safe to call from any number of processes at the same time.
 */
@Injectable()
export class NotionRefreshService implements OnModuleDestroy {
  private readonly logger = new Logger(NotionRefreshService.name);
  private readonly flights = new SingleFlight<RefreshOutcome>();
  private readonly slots: ReturnType<typeof pLimit>;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly notion: NotionOAuth,
    private readonly recovery: UnknownOutcomeRecovery,
    private readonly cache: AccessTokenCache,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {
    this.slots = pLimit(config.refresh.maxConcurrent);
  }

  /**
   * Resolves to an outcome: a refused grant or a Notion that is down are outcomes, not exceptions. Waits at most
   * `refresh.callerWaitMs`, then answers `busy` while the refresh goes on.
   * @throws {@link NotionAuthorizationNotFoundError} when there is no such authorization.
   */
  async refresh(id: AuthorizationId, request: RefreshRequest): Promise<RefreshOutcome> {
    const seenVersion = request.seenVersion ?? (await this.storedVersion(id));
    const waitUntilMs = this.clock.monotonicMs() + this.config.refresh.callerWaitMs;
    for (;;) {
      const flight = this.flights.join(id, () => this.renew(id, { ...request, seenVersion }));
      const timeoutMs = Math.max(0, waitUntilMs - this.clock.monotonicMs());
      const outcome = await waitAtMost(flight, { timeoutMs, signal: request.signal });
      if (outcome === 'timed_out') return { kind: 'busy' };
      if (!isBehind(outcome, seenVersion)) return outcome;
      // The flight we joined was begun for an older version than the one that failed us: begin our own.
    }
  }

  /** Answers that are under way are awaited and stored before the connection to the database closes. */
  async onModuleDestroy(): Promise<void> {
    await this.flights.settled();
  }

  private async storedVersion(id: AuthorizationId): Promise<number> {
    const authorization = await this.store.find(id);
    if (authorization === null) throw new NotionAuthorizationNotFoundError();
    return authorization.version;
  }

  /** Callers in this process share one flight; the claim on the row settles it between processes. */
  private renew(
    id: AuthorizationId,
    request: RefreshRequest & { seenVersion: number },
  ): Promise<RefreshOutcome> {
    return this.slots(async () => {
      const held = await this.claimOrFollow(id, request);
      return 'claim' in held ? this.spend(held) : held;
    });
  }

  private async claimOrFollow(
    id: AuthorizationId,
    { trigger, seenVersion }: RefreshRequest & { seenVersion: number },
  ): Promise<HeldClaim | RefreshOutcome> {
    const { callerWaitMs, leaseMs, requestTimeoutMs, leaseMarginMs } = this.config.refresh;
    const followUntilMs = this.clock.monotonicMs() + callerWaitMs;
    for (const waitMs of growingWaits(FIRST_LOOK_MS, LONGEST_LOOK_MS)) {
      // Measured from before the claim: the lease then ends for us no later than for anybody else.
      const claimedAtMs = this.clock.monotonicMs();
      const result = await this.store.claim({ authorizationId: id, trigger, seenVersion, leaseMs });
      if (result.kind === 'claimed') {
        return {
          claim: result.claim,
          sendBeforeMs: claimedAtMs + leaseMs - requestTimeoutMs - leaseMarginMs,
          trigger,
        };
      }
      if (result.kind !== 'claimed_elsewhere') return this.refused(id, result, trigger, seenVersion);
      if (this.clock.monotonicMs() + waitMs > followUntilMs) return { kind: 'busy' };
      await this.clock.sleep(waitMs);
    }
    return { kind: 'busy' };
  }

  private async refused(
    id: AuthorizationId,
    refusal: Exclude<ClaimRefusal, { kind: 'claimed_elsewhere' }>,
    trigger: RefreshTrigger,
    seenVersion: number,
  ): Promise<RefreshOutcome> {
    switch (refusal.kind) {
      case 'not_found':
        throw new NotionAuthorizationNotFoundError();
      case 'moved':
        return { kind: 'followed', version: refusal.version };
      case 'needs_reconnect':
        // Only a refused access token proves that the missing refresh token is needed.
        if (refusal.reason === 'no_refresh_token' && trigger === 'unauthorized') {
          await this.store.markWithoutRefreshToken(id, seenVersion);
        }
        return refusal;
      case 'postponed':
      case 'revoked':
        return refusal;
    }
  }

  private async spend(held: HeldClaim): Promise<RefreshOutcome> {
    const { claim } = held;
    if (claim.recovering !== null) {
      const verdict = await this.recovery.resolve(claim, claim.recovering);
      if (verdict !== 'send') return this.settle(held, verdict, { code: 'unresolved_attempt' });
    }
    if (this.clock.monotonicMs() > held.sendBeforeMs) return this.giveUpClaim(held);
    const sentAtMs = this.clock.monotonicMs();
    const answer = await this.notion.refresh(claim.refreshToken, {
      timeoutMs: this.config.refresh.requestTimeoutMs,
    });
    const upstreamMs = this.clock.monotonicMs() - sentAtMs;
    return answer.kind === 'success'
      ? this.keep(claim, answer, upstreamMs)
      : this.fail(held, answer, upstreamMs);
  }

  /** The self-fence (rule R5): the answer could come after somebody else took the claim over. */
  private giveUpClaim(held: HeldClaim): Promise<RefreshOutcome> {
    return this.settle(
      held,
      { settlement: { kind: 'release' }, outcome: 'not_sent' },
      { code: 'claim_nearly_over' },
    );
  }

  private async keep(claim: Claim, answer: SuccessfulAnswer, upstreamMs: number): Promise<RefreshOutcome> {
    const verdict = await this.storeUntilStored(claim, answer, upstreamMs);
    if (!verdict.stored) return this.dropLatePair(claim, answer, verdict);
    const token = new AccessToken(answer.pair.accessToken.reveal(), claim.authorizationId, verdict.version);
    this.cache.put(token, answer.pair.expiresInMs ?? undefined);
    this.logger.log(
      `refreshed authorization=${claim.authorizationId} attempt=${claim.attemptId} version=${verdict.version}`,
    );
    return { kind: 'renewed', version: verdict.version };
  }

  /** From here on the only copy of the pair is in memory: the write is repeated until it succeeds (rule R12). */
  private async storeUntilStored(
    claim: Claim,
    answer: SuccessfulAnswer,
    upstreamMs: number,
  ): Promise<StoreVerdict> {
    for (const waitMs of growingWaits(FIRST_STORE_RETRY_MS, LONGEST_STORE_RETRY_MS)) {
      try {
        return await this.store.storePair(claim, answer.pair, { outcome: 'success', upstreamMs });
      } catch (error) {
        this.logger.error(
          `store failed, trying again authorization=${claim.authorizationId} attempt=${claim.attemptId} error=${errorName(error)}`,
        );
        await this.clock.sleep(waitMs);
      }
    }
    throw new Error('unreachable: the waits never end');
  }

  /** A reconnect won, or the person disconnected: then the pair nobody will ever use is revoked (rule R19). */
  private async dropLatePair(
    claim: Claim,
    answer: SuccessfulAnswer,
    verdict: Extract<StoreVerdict, { stored: false }>,
  ): Promise<RefreshOutcome> {
    if (verdict.status === 'not_found' || verdict.status === 'revoked') {
      await this.notion.revoke(answer.pair.accessToken);
      return { kind: 'revoked' };
    }
    this.logger.log(`late pair dropped authorization=${claim.authorizationId} attempt=${claim.attemptId}`);
    return { kind: 'followed', version: verdict.version };
  }

  private fail(held: HeldClaim, answer: ClassifiedFailure, upstreamMs: number): Promise<RefreshOutcome> {
    const verdict = verdictOn(answer, held.claim.recovering !== null, this.config.refresh);
    return this.settle(held, verdict, answer.failure, upstreamMs);
  }

  private async settle(
    held: HeldClaim,
    verdict: Verdict,
    failure: NotionFailure,
    upstreamMs?: number,
  ): Promise<RefreshOutcome> {
    const { claim } = held;
    const { settlement, outcome } = verdict;
    this.logger.warn(describe(held, outcome, failure));
    const settled = await this.store.settle(claim, settlement, { outcome, failure, upstreamMs });
    if (!settled) {
      // Somebody stored, reconnected or disconnected meanwhile (rule R15): their version is the answer.
      const moved = await this.store.find(claim.authorizationId);
      if (moved !== null && moved.status === 'revoked') return { kind: 'revoked' };
      if (moved !== null && moved.version > claim.spentVersion)
        return { kind: 'followed', version: moved.version };
    }
    if (settlement.kind === 'needs_reconnect') {
      return { kind: 'needs_reconnect', reason: settlement.reason, failure };
    }
    return { kind: outcomeKind(outcome), failure };
  }
}

function isBehind(outcome: RefreshOutcome, seenVersion: number): boolean {
  return 'version' in outcome && outcome.version <= seenVersion;
}

function outcomeKind(
  outcome: Verdict['outcome'],
): 'not_sent' | 'not_processed' | 'configuration' | 'unknown' {
  switch (outcome) {
    case 'not_sent':
    case 'not_processed':
    case 'configuration':
      return outcome;
    default:
      return 'unknown';
  }
}

function describe({ claim, trigger }: HeldClaim, outcome: string, failure: NotionFailure): string {
  const facts = {
    authorization: claim.authorizationId,
    attempt: claim.attemptId,
    trigger,
    status: failure.status,
    code: failure.code,
    request: failure.requestId,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return `refresh ${outcome} ${known.map(([name, value]) => `${name}=${value}`).join(' ')}`;
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
