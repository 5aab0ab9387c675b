import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationDirectory } from '../domain/authorization-directory.js';
import { AuthorizationStore, type Claim } from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { ConnectStateStore } from '../domain/connect-state-store.js';
import { SECOND_MS } from '../domain/duration.js';
import { RateBudget } from '../domain/rate-budget.js';
import type { RefreshOutcome } from '../domain/refresh-outcome.js';
import { waitAtMost } from './bounded-wait.js';
import type { HeldClaim } from './claim.spender.js';
import { NotionRefreshService } from './notion-refresh.service.js';
import { RefreshMeter } from './refresh.meter.js';
import { RefreshShutdown } from './refresh.shutdown.js';
import { RollForward } from './roll-forward.js';
import { SweepTally, type SweepReport } from './sweep-report.js';
import { CLAIM_AHEAD_MS, SweepWindow } from './sweep-window.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { QuietLogger } from '../logging/quiet.logger.js';

const UNRESOLVED_BATCH = 100;
/**
 * Notion counts arrivals, and no timer and no wire is punctual: a little less than the cap is booked, and a turn that
 * this process comes too late for is booked anew, or the late ones would all go at once.
 */
const BOOKED_SHARE = 0.9;
const LATEST_START_MS = 50;
/** A turn may be far away, and the end of the process does not wait for it. */
const LONGEST_SLEEP_MS = SECOND_MS / 2;
/** A process that is always late is late evenly, which does no harm; its refreshes must begin at last. */
const MOST_BOOKINGS = 3;

export interface SweepOptions {
  /**
   * Renew pairs older than this, in milliseconds. Default: `refresh.maxTokenAgeMs`; where that is not set either,
   * nothing is due, because Notion announces no expiry.
   */
  readonly maxTokenAgeMs?: number;
  /** Most refreshes begun in a second, over all processes that sweep. Default: no cap but `refresh.maxConcurrent`. */
  readonly ratePerSecond?: number;
  /** Refresh nothing, and report how many are due. @defaultValue `false` */
  readonly dryRun?: boolean;
  /** Called after every batch with what was done so far, and with the final report. */
  readonly onProgress?: (report: SweepReport) => unknown;
}

/**
 * Renews what is older than a policy allows, resolves attempts of unknown outcome, and clears away what nobody needs
 * any more. Any number of processes may sweep at the same time: each due authorization is claimed by one of them.
 */
@Injectable()
export class NotionRefreshSweep {
  private readonly logger = new NotionLogger(NotionRefreshSweep.name);
  private readonly failures: QuietLogger;
  private readonly underWay = new Set<Promise<SweepReport>>();

  constructor(
    private readonly store: AuthorizationStore,
    private readonly refreshes: NotionRefreshService,
    private readonly rollForward: RollForward,
    private readonly shutdown: RefreshShutdown,
    private readonly states: ConnectStateStore,
    private readonly budget: RateBudget,
    private readonly directory: AuthorizationDirectory,
    private readonly meter: RefreshMeter,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {
    this.failures = new QuietLogger(NotionRefreshSweep.name, clock);
    // By then nothing more is claimed: what is, comes to its end while there is a database to write to.
    shutdown.drainWith(() =>
      waitAtMost(Promise.allSettled(this.underWay), { timeoutMs: config.refresh.drainMs }),
    );
  }

  /** Never rejects for one authorization's sake; rejects when the database cannot be read. */
  run(options: SweepOptions = {}): Promise<SweepReport> {
    const running = this.runOnce(options).finally(() => this.underWay.delete(running));
    this.underWay.add(running);
    return running;
  }

  private async runOnce(options: SweepOptions): Promise<SweepReport> {
    const startedMs = this.clock.monotonicMs();
    const tally = new SweepTally(() => Math.round(this.clock.monotonicMs() - startedMs));
    const olderThanMs = options.maxTokenAgeMs ?? this.config.refresh.maxTokenAgeMs;
    const report =
      options.dryRun === true
        ? { ...tally.report(true), due: await this.countDue(olderThanMs), dryRun: true }
        : await this.sweep(olderThanMs, options, tally);
    this.logger.log(`sweep ${JSON.stringify(report)}`);
    await options.onProgress?.(report);
    return report;
  }

  private async sweep(
    olderThanMs: number | null,
    options: SweepOptions,
    tally: SweepTally,
  ): Promise<SweepReport> {
    if (!this.shutdown.hasBegun) await this.states.prune();
    if (!this.shutdown.hasBegun) await this.resolveUnknown(tally);
    if (olderThanMs !== null) await this.renewDue(olderThanMs, options, tally);
    return tally.report(true);
  }

  private async countDue(olderThanMs: number | null): Promise<number> {
    return olderThanMs === null ? 0 : this.directory.countDue(olderThanMs);
  }

  private async resolveUnknown(tally: SweepTally): Promise<void> {
    const unresolved = await this.store.listUnresolved(UNRESOLVED_BATCH);
    const slots = pLimit(this.config.refresh.maxConcurrent);
    const outcomes = unresolved.map(({ id, version }) =>
      slots(() =>
        this.unlessSurprised(() => this.refreshes.refresh(id, { trigger: 'recovery', seenVersion: version })),
      ),
    );
    for (const outcome of await Promise.all(outcomes)) this.meter.swept(tally.count(outcome));
  }

  /** Keeps `maxConcurrent` refreshes under way until nothing is due. */
  private async renewDue(olderThanMs: number, options: SweepOptions, tally: SweepTally): Promise<void> {
    const { maxConcurrent } = this.config.refresh;
    const slots = pLimit(maxConcurrent);
    const window = new SweepWindow(maxConcurrent, options.ratePerSecond !== undefined, this.clock);
    const startedMs = this.clock.monotonicMs();
    for (;;) {
      // As of the beginning: what this sweep has renewed must not become due to it again.
      const asOfStartMs = Math.ceil(olderThanMs + this.clock.monotonicMs() - startedMs);
      const claims = await this.claimDue(asOfStartMs, window.room, options.ratePerSecond);
      for (const begin of claims) {
        window.hold(
          slots(begin).then((outcome) => {
            this.meter.swept(tally.count(outcome));
          }),
        );
      }
      if (claims.length === 0) break;
      await window.untilRoom();
      await options.onProgress?.(tally.report(false));
    }
    await window.untilEmpty();
  }

  /** Claims a batch, and gives back how to begin each of its refreshes at its turn. */
  private async claimDue(
    olderThanMs: number,
    room: number,
    ratePerSecond: number | undefined,
  ): Promise<readonly (() => Promise<RefreshOutcome | 'surprise'>)[]> {
    if (this.shutdown.hasBegun) return [];
    const limit = ratePerSecond === undefined ? room : Math.min(room, aheadAt(ratePerSecond));
    const turns =
      ratePerSecond === undefined ? null : await this.bookTurns(limit, ratePerSecond * BOOKED_SHARE);
    const timeline = await this.rollForward.currentTimeline();
    const sinceClaim = this.clock.stopwatch();
    const claims = await this.store.claimDue({ olderThanMs, limit, leaseMs: this.config.refresh.leaseMs });
    return claims.map((claim, index) => async () => {
      await turns?.(index);
      const held: HeldClaim = { claim, sinceClaim, timeline, trigger: 'schedule' };
      return this.unlessSurprised(() => this.refreshes.spendClaimed(held), claim);
    });
  }

  /** Resolves at the first of them; what it answers resolves at the turn of that number. */
  private async bookTurns(count: number, perSecond: number): Promise<(index: number) => Promise<void>> {
    const firstAtMs = await this.bookTurn(count, perSecond);
    return async (index) => {
      let atMs = firstAtMs + (index * SECOND_MS) / perSecond;
      await this.waitUntil(atMs);
      for (let booked = 1; booked < MOST_BOOKINGS && this.isTooLateFor(atMs); booked++) {
        atMs = await this.bookTurn(1, perSecond);
      }
    };
  }

  /** Books turns in a row and waits for the first of them. @returns When it was, in monotonic milliseconds. */
  private async bookTurn(count: number, perSecond: number): Promise<number> {
    const inMs = await this.budget.reserve(count, perSecond);
    const atMs = this.clock.monotonicMs() + inMs;
    await this.waitUntil(atMs);
    return atMs;
  }

  private isTooLateFor(atMs: number): boolean {
    return this.clock.monotonicMs() - atMs > LATEST_START_MS;
  }

  private async waitUntil(atMs: number): Promise<void> {
    while (!this.shutdown.hasBegun) {
      const waitMs = atMs - this.clock.monotonicMs();
      if (waitMs <= 0) return;
      await this.clock.sleep(Math.min(waitMs, LONGEST_SLEEP_MS));
    }
  }

  private async unlessSurprised(
    refresh: () => Promise<RefreshOutcome>,
    claim?: Claim,
  ): Promise<RefreshOutcome | 'surprise'> {
    try {
      return await refresh();
    } catch (error) {
      const name = error instanceof Error ? error.name : 'unknown';
      this.failures.error(`sweep failed ${name}`, 'sweep failed', {
        stage: 'refresh',
        authorization: claim?.authorizationId,
        bot: claim?.botId,
        workspace: claim?.workspaceId,
        attempt: claim?.attemptId,
        trigger: claim === undefined ? 'recovery' : 'schedule',
        error: name,
      });
      return 'surprise';
    }
  }
}

function aheadAt(ratePerSecond: number): number {
  return Math.max(1, Math.floor((ratePerSecond * CLAIM_AHEAD_MS) / SECOND_MS));
}
