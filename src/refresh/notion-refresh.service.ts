import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationStore, type Claim, type ClaimRefusal } from '../domain/authorization-store.js';
import type { AuthorizationId, ReconnectReason } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionAuthorizationNotFoundError } from '../domain/errors.js';
import type { RefreshOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { growingWaits } from './backoff.js';
import { waitAtMost } from './bounded-wait.js';
import { ClaimSpender, type HeldClaim } from './claim.spender.js';
import { MassRevocationProbe } from './mass-revocation.probe.js';
import { RefreshMeter } from './refresh.meter.js';
import { RefreshShutdown } from './refresh.shutdown.js';
import { RollForward } from './roll-forward.js';
import { SingleFlight } from './single-flight.js';
import { storeCall } from './store-call.js';

/** How often waiters look whether the process that claimed has finished. */
const FIRST_LOOK_MS = 40;
const LONGEST_LOOK_MS = 500;
/**
 * A request that takes longer gives its slot to the next one: slow requests of one tenant must not delay the others
 * beyond the bound of the liveness proof, four seconds.
 */
const SLOT_HELD_MS = 1.5 * SECOND_MS;

export interface RefreshRequest {
  readonly trigger: RefreshTrigger;
  /** The version to be succeeded; a row that is past it is left alone. Default: whatever is stored now. */
  readonly seenVersion?: number;
  /** Ends this caller's wait, never the refresh. */
  readonly signal?: AbortSignal | undefined;
  /** Most milliseconds that this caller waits. Default: `refresh.callerWaitMs`. */
  readonly waitTimeoutMs?: number;
}

type VersionedRequest = RefreshRequest & { readonly seenVersion: number };
type FinalRefusal = Exclude<ClaimRefusal, { kind: 'claimed_elsewhere' }>;

/**
 * Renews a pair exactly once, however many callers and processes ask: claim, send, store.
 * Safe to call from any number of processes at the same time. Asks for no owner: not for ids that come with a request.
 */
@Injectable()
export class NotionRefreshService {
  private readonly flights = new SingleFlight<RefreshOutcome>();
  private readonly looks = new SingleFlight<number>();
  /** Authorizations whose claim another process holds. Their flights wait without a slot and without a queue place. */
  private readonly following = new Set<AuthorizationId>();
  private readonly slots: ReturnType<typeof pLimit>;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly spender: ClaimSpender,
    private readonly rollForward: RollForward,
    private readonly massRevocation: MassRevocationProbe,
    private readonly shutdown: RefreshShutdown,
    private readonly meter: RefreshMeter,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {
    this.slots = pLimit(config.refresh.maxConcurrent);
    shutdown.drainWith(() => this.drain());
  }

  /**
   * Resolves to an outcome: a rejected grant or a Notion that is down are outcomes, not exceptions. Waits at most
   * `waitTimeoutMs`, then returns `busy` while the refresh goes on; returns `busy` at once, and begins nothing, when
   * `refresh.maxQueued` others wait for a slot, or as many for claims of other processes. Joining a refresh that is
   * under way or queued takes no place.
   * @throws {@link NotionAuthorizationNotFoundError} when there is no such authorization.
   * @throws {@link NotionStoreUnavailableError} when the store does not answer.
   */
  async refresh(id: AuthorizationId, request: RefreshRequest): Promise<RefreshOutcome> {
    if (!this.hasRoomFor(id, request)) return { kind: 'busy' };
    return this.meter.waitedFor(this.awaitRefresh(id, request));
  }

  private async awaitRefresh(id: AuthorizationId, request: RefreshRequest): Promise<RefreshOutcome> {
    const { waitTimeoutMs = this.config.refresh.callerWaitMs, signal } = request;
    const waitUntilMs = this.clock.monotonicMs() + waitTimeoutMs;
    const seenVersion =
      request.seenVersion ?? (await waitAtMost(this.lookedUp(id), { timeoutMs: waitTimeoutMs, signal }));
    if (seenVersion === 'timed_out') return { kind: 'busy' };
    for (;;) {
      const flight = this.flights.join(id, () => storeCall(this.renew(id, { ...request, seenVersion })));
      const timeoutMs = Math.max(0, waitUntilMs - this.clock.monotonicMs());
      const outcome = await waitAtMost(flight, { timeoutMs, signal });
      if (outcome === 'timed_out') return { kind: 'busy' };
      if (!isBehind(outcome, seenVersion)) return outcome;
      // The flight we joined was begun for an older version than the one that failed us: begin our own.
    }
  }

  /** For a claim that a sweep has made: whoever asks for the same authorization meanwhile joins in. */
  spendClaimed(held: HeldClaim): Promise<RefreshOutcome> {
    return this.flights.join(held.claim.authorizationId, () => this.inSlot(() => this.spender.spend(held)));
  }

  /** Refreshes of this process that are under way or wait for their turn. */
  get inFlight(): number {
    return this.flights.size;
  }

  /** Answers that are under way are awaited and stored; nothing new begins. */
  private async drain(): Promise<void> {
    await waitAtMost(this.flights.settled(), { timeoutMs: this.config.refresh.drainMs });
  }

  /** What `recovery` asks for is paced by the sweep; refused, it would be left unresolved until the next one. */
  private hasRoomFor(id: AuthorizationId, { trigger }: RefreshRequest): boolean {
    if (trigger === 'recovery' || this.flights.has(id) || this.looks.has(id)) return true;
    const { maxConcurrent, maxQueued } = this.config.refresh;
    return this.flights.size - this.following.size + this.looks.size < maxConcurrent + maxQueued;
  }

  private lookedUp(id: AuthorizationId): Promise<number> {
    return this.looks.join(id, () => this.storedVersion(id));
  }

  private async storedVersion(id: AuthorizationId): Promise<number> {
    const authorization = await storeCall(this.store.find(id));
    if (authorization === null) throw new NotionAuthorizationNotFoundError();
    return authorization.version;
  }

  /**
   * Callers in this process share one flight; the claim on the row settles it between processes. A slot is held from
   * the claim to the end of the request, and never while another process holds the claim.
   */
  private async renew(id: AuthorizationId, request: VersionedRequest): Promise<RefreshOutcome> {
    const followUntilMs = this.clock.monotonicMs() + this.config.refresh.callerWaitMs;
    try {
      for (const lookAgainMs of growingWaits(FIRST_LOOK_MS, LONGEST_LOOK_MS)) {
        if (this.shutdown.hasBegun) return { kind: 'busy' };
        const outcome = await this.inSlot(() => this.claimAndSpend(id, request));
        if (outcome !== 'wait') return outcome;
        if (this.clock.monotonicMs() + lookAgainMs > followUntilMs || !this.mayFollow(id)) break;
        this.following.add(id);
        await this.clock.sleep(lookAgainMs);
      }
      return { kind: 'busy' };
    } finally {
      this.following.delete(id);
    }
  }

  private async claimAndSpend(
    id: AuthorizationId,
    request: VersionedRequest,
  ): Promise<RefreshOutcome | 'wait'> {
    const attempt = await this.tryToClaim(id, request);
    if (attempt === 'wait' || !('claim' in attempt)) return attempt;
    this.following.delete(id);
    return this.spender.spend(attempt);
  }

  private mayFollow(id: AuthorizationId): boolean {
    return this.following.has(id) || this.following.size < this.config.refresh.maxQueued;
  }

  private inSlot<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      void this.slots(async () => {
        const working = work();
        working.then(resolve, reject);
        await waitAtMost(working, { timeoutMs: SLOT_HELD_MS }).catch(() => undefined);
      });
    });
  }

  private async tryToClaim(
    id: AuthorizationId,
    { trigger, seenVersion }: VersionedRequest,
  ): Promise<HeldClaim | RefreshOutcome | 'wait'> {
    const timeline = await this.rollForward.currentTimeline();
    const sinceClaim = this.clock.stopwatch();
    const { leaseMs } = this.config.refresh;
    const result = await this.store.claim({ authorizationId: id, trigger, seenVersion, leaseMs });
    if (result.kind === 'claimed') {
      this.meter.took('claim', sinceClaim());
      return { claim: result.claim, sinceClaim, timeline, trigger };
    }
    return result.kind === 'claimed_elsewhere' ? 'wait' : this.refused(id, result, { trigger, seenVersion });
  }

  private async refused(
    id: AuthorizationId,
    refusal: FinalRefusal,
    request: VersionedRequest,
  ): Promise<RefreshOutcome | HeldClaim | 'wait'> {
    switch (refusal.kind) {
      case 'not_found':
        throw new NotionAuthorizationNotFoundError();
      case 'moved':
        return this.moved(id, refusal.version, request);
      case 'needs_reconnect':
        if (request.trigger === 'unauthorized')
          await this.noteRejected(id, refusal.reason, request.seenVersion);
        return refusal;
      case 'postponed':
        if (refusal.gate === 'mass_dead') this.massRevocation.tendSoon();
        return refusal;
      case 'revoked':
        return refusal;
    }
  }

  /** Only a rejected access token proves that a missing refresh token is needed, or that the old token is dead too. */
  private async noteRejected(id: AuthorizationId, reason: ReconnectReason, version: number): Promise<void> {
    if (reason === 'no_refresh_token') await this.store.markWithoutRefreshToken(id, version);
    if (reason === 'lost_rotation') await this.store.eraseRejectedAccessToken(id, version);
  }

  /** Upwards somebody was faster; downwards the database forgot commits. */
  private async moved(
    id: AuthorizationId,
    storedVersion: number,
    request: VersionedRequest,
  ): Promise<RefreshOutcome | HeldClaim | 'wait'> {
    if (storedVersion > request.seenVersion) return { kind: 'followed', version: storedVersion };
    if (await this.rollForward.repair(id, storedVersion)) return this.tryToClaim(id, request);
    this.meter.foundBehind();
    // We do not hold the newer pair, and who did had its time: what is stored is all there is, and probably spent.
    const held = await this.tryToClaim(id, { ...request, seenVersion: storedVersion });
    return typeof held === 'object' && 'claim' in held ? { ...held, claim: asUnresolved(held.claim) } : held;
  }
}

function asUnresolved(claim: Claim): Claim {
  return { ...claim, recovering: claim.recovering ?? { ageMs: Number.POSITIVE_INFINITY, replayed: false } };
}

function isBehind(outcome: RefreshOutcome, seenVersion: number): boolean {
  return (outcome.kind === 'renewed' || outcome.kind === 'followed') && outcome.version <= seenVersion;
}
