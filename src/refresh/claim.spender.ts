import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  AuthorizationStore,
  type Claim,
  type Settlement,
  type UnresolvedAttempt,
} from '../domain/authorization-store.js';
import type { ReconnectReason } from '../domain/authorization.js';
import { SECOND_MS } from '../domain/duration.js';
import { Clock, type Stopwatch } from '../domain/clock.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { NotionTracing, type SpanNotes } from '../domain/notion-tracing.js';
import type { NotionFailure, RefreshOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { AuthorizationWatch } from './authorization.watch.js';
import { PairKeeper } from './pair.keeper.js';
import { UnknownOutcomeRecovery } from './recovery.js';
import type { LogFacts } from '../logging/log-line.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { RefreshMeter } from './refresh.meter.js';
import { RefreshShutdown } from './refresh.shutdown.js';
import { RollForward } from './roll-forward.js';
import { MASS_REVOCATION_OPEN_MS, verdictOn, type Verdict } from './settlement.js';

/** A claim as this process holds it. */
export interface HeldClaim {
  readonly claim: Claim;
  /** Started before the claim was made, so that the lease ends for this process no later than for any other. */
  readonly sinceClaim: Stopwatch;
  /** {@link RollForward.currentTimeline} from before the claim was made. */
  readonly timeline: string | null;
  readonly trigger: RefreshTrigger;
}

/** Spends a claim: at most one request, and an end to the claim whatever it comes to. */
@Injectable()
export class ClaimSpender {
  private readonly logger: QuietLogger;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly notion: NotionOAuth,
    private readonly recovery: UnknownOutcomeRecovery,
    private readonly keeper: PairKeeper,
    private readonly rollForward: RollForward,
    private readonly shutdown: RefreshShutdown,
    private readonly meter: RefreshMeter,
    private readonly watch: AuthorizationWatch,
    private readonly tracing: NotionTracing,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {
    this.logger = new QuietLogger('NotionRefreshService', clock);
  }

  async spend(held: HeldClaim): Promise<RefreshOutcome> {
    const { authorizationId: authorization, attemptId: attempt } = held.claim;
    const facts = { authorization, attempt, trigger: held.trigger };
    return this.tracing.span('notion_auth.refresh', facts, async (span) => {
      const outcome = await this.spendClaim(held);
      describeOn(span, outcome);
      this.meter.took('total', held.sinceClaim());
      return outcome;
    });
  }

  private async spendClaim(held: HeldClaim): Promise<RefreshOutcome> {
    const unresolved = held.claim.recovering;
    const resolution = unresolved === null ? 'send' : await this.recovery.resolve(held.claim, unresolved);
    if (typeof resolution === 'object') return this.settle(held, resolution, { code: 'unresolved_attempt' });
    const obstacle = await this.obstacleTo(held);
    if (obstacle !== null) return this.giveUp(held, obstacle);
    return this.send(held, unresolved, resolution === 'replay');
  }

  /** What forbids to begin the request now, although the claim is ours. */
  private async obstacleTo(held: HeldClaim): Promise<string | null> {
    if (this.shutdown.hasBegun) return 'shutting_down';
    // After a failover the claim may be forgotten, and another process may make it again.
    const changed = await this.rollForward.obstacleSince(held.timeline);
    if (changed !== null) return changed;
    return this.leaseAllowsSending(held, this.config.refresh.requestTimeoutMs) ? null : 'claim_nearly_over';
  }

  /**
   * The guard `selfFence` (rule R5): Notion knows nothing of claims, so a request may only begin while its response
   * must arrive, or time out, before another process can claim.
   */
  private leaseAllowsSending({ claim, sinceClaim }: HeldClaim, timeoutMs: number): boolean {
    return sinceClaim() + timeoutMs + this.config.refresh.leaseMarginMs <= claim.leaseMs;
  }

  private async send(
    held: HeldClaim,
    unresolved: UnresolvedAttempt | null,
    asReplay: boolean,
  ): Promise<RefreshOutcome> {
    const { claim } = held;
    this.keeper.prepare();
    this.watch.refreshed(claim.authorizationId);
    const sentAtMs = this.clock.monotonicMs();
    const answer = await this.notion.refresh(claim.refreshToken, {
      timeoutMs: this.config.refresh.requestTimeoutMs,
      maySend: (timeoutMs) => this.leaseAllowsSending(held, timeoutMs),
    });
    const upstreamMs = this.clock.monotonicMs() - sentAtMs;
    this.meter.took('upstream', upstreamMs);
    if (answer.kind === 'success') return this.keeper.keep(held, answer, upstreamMs);
    const presented = { afterUnknown: unresolved !== null, asReplay };
    return this.settle(held, verdictOn(answer, presented, this.config.refresh), answer.failure, upstreamMs);
  }

  /** Hands the claim back: nothing was sent. A process that is too slow for its claims does not try at once again. */
  private giveUp(held: HeldClaim, code: string): Promise<RefreshOutcome> {
    const settlement: Settlement =
      code === 'claim_nearly_over' ? { kind: 'postpone', retryInMs: SECOND_MS } : { kind: 'release' };
    return this.settle(held, { settlement, outcome: 'not_sent' }, { code });
  }

  private async settle(
    held: HeldClaim,
    { settlement, outcome }: Verdict,
    failure: NotionFailure,
    upstreamMs?: number,
  ): Promise<RefreshOutcome> {
    this.logger.warn(
      `refresh ${outcome} ${failure.code ?? ''}`,
      `refresh ${outcome}`,
      factsOf(held, failure),
    );
    this.meter.ended(outcome, held.trigger);
    const verdict = await this.store.settle(held.claim, settlement, { outcome, failure, upstreamMs });
    if (verdict === 'superseded') {
      const moved = await this.movedMeanwhile(held.claim);
      if (moved !== null) return moved;
    }
    if (verdict === 'held_back')
      return { kind: 'postponed', retryInMs: MASS_REVOCATION_OPEN_MS, gate: 'mass_dead' };
    if (settlement.kind === 'needs_reconnect') {
      if (verdict === 'settled') this.changed(held.claim, settlement.reason);
      return { kind: 'needs_reconnect', reason: settlement.reason, failure };
    }
    return {
      kind: transientKind(outcome),
      failure,
      retryInMs: 'retryInMs' in settlement ? settlement.retryInMs : 0,
    };
  }

  private changed({ authorizationId }: Claim, reason: ReconnectReason): void {
    this.watch.statusChanged(authorizationId, 'needs_reconnect');
    if (reason === 'lost_rotation') this.meter.grantLost();
  }

  /** Somebody stored, reconnected or disconnected meanwhile (rule R15): their version is the answer. */
  private async movedMeanwhile(claim: Claim): Promise<RefreshOutcome | null> {
    const moved = await this.store.find(claim.authorizationId);
    if (moved === null || moved.version <= claim.spentVersion) return null;
    return moved.status === 'revoked' ? { kind: 'revoked' } : { kind: 'followed', version: moved.version };
  }
}

function describeOn(span: SpanNotes, outcome: RefreshOutcome): void {
  const failure = 'failure' in outcome ? outcome.failure : undefined;
  span.add({
    outcome: outcome.kind,
    reason: 'reason' in outcome ? outcome.reason : undefined,
    status: failure?.status,
    code: failure?.code,
    request: failure?.requestId,
  });
  if (failure !== undefined) span.fail(outcome.kind);
}

function transientKind(
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

/** Code and request id come from outside: encoded, neither can begin a line of its own. */
function factsOf({ claim, trigger }: HeldClaim, failure: NotionFailure): LogFacts {
  return {
    stage: 'refresh',
    status: failure.status,
    code: failure.code,
    request: failure.requestId,
    authorization: claim.authorizationId,
    bot: claim.botId,
    workspace: claim.workspaceId,
    attempt: claim.attemptId,
    trigger,
  };
}
