import { Inject, Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptStatistics } from '../domain/attempt-statistics.js';
import { AuthorizationStore, type DueAuthorization } from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { ConnectStateStore } from '../domain/connect-state-store.js';
import { DAY_MS, SECOND_MS } from '../domain/duration.js';
import type { RefreshOutcome } from '../domain/refresh-outcome.js';
import { NotionRefreshService } from './notion-refresh.service.js';

const BATCH_SIZE = 100;
const KEEP_ATTEMPTS_MS = 30 * DAY_MS;

export interface SweepOptions {
  /**
   * Renew pairs older than this, in milliseconds. Default: `refresh.maxTokenAgeMs`; where that is not set either,
   * nothing is due, because Notion announces no expiry.
   */
  readonly maxTokenAgeMs?: number;
  /** Most refreshes begun in a second. Default: no cap but `refresh.maxConcurrent`. */
  readonly ratePerSecond?: number;
}

/** What one sweep did. */
export interface SweepReport {
  readonly due: number;
  readonly renewed: number;
  /** Left alone because another process had renewed them or was just renewing them. */
  readonly skipped: number;
  /** Only the person can help now. */
  readonly needsReconnect: number;
  /** Not renewed this time; tried again by a later sweep. */
  readonly failed: number;
  readonly tookMs: number;
}

type Tally = { -readonly [Key in keyof SweepReport]: number };

/** Renews what is older than a policy allows, and clears away what nobody needs any more. */
@Injectable()
export class NotionRefreshSweep {
  private readonly logger = new Logger(NotionRefreshSweep.name);

  constructor(
    private readonly store: AuthorizationStore,
    private readonly refreshes: NotionRefreshService,
    private readonly states: ConnectStateStore,
    private readonly attempts: AttemptStatistics,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {}

  /** Never rejects for one authorization's sake; rejects when the database cannot be read. */
  async run(options: SweepOptions = {}): Promise<SweepReport> {
    const startedMs = this.clock.monotonicMs();
    const tally: Tally = { due: 0, renewed: 0, skipped: 0, needsReconnect: 0, failed: 0, tookMs: 0 };
    await this.states.prune();
    await this.attempts.prune(KEEP_ATTEMPTS_MS);
    const olderThanMs = options.maxTokenAgeMs ?? this.config.refresh.maxTokenAgeMs;
    if (olderThanMs !== null) await this.renewDue(olderThanMs, options.ratePerSecond, tally);
    tally.tookMs = Math.round(this.clock.monotonicMs() - startedMs);
    this.logger.log(`sweep ${JSON.stringify(tally)}`);
    return tally;
  }

  private async renewDue(
    olderThanMs: number,
    ratePerSecond: number | undefined,
    tally: Tally,
  ): Promise<void> {
    for (;;) {
      const batch = await this.store.listDue({ olderThanMs, limit: BATCH_SIZE });
      const before = tally.renewed;
      await this.renewBatch(batch, ratePerSecond, tally);
      // A batch that brought nothing forward would come back the same: leave it to the next sweep.
      if (batch.length < BATCH_SIZE || tally.renewed === before) return;
    }
  }

  private async renewBatch(
    batch: readonly DueAuthorization[],
    ratePerSecond: number | undefined,
    tally: Tally,
  ) {
    const slots = pLimit(this.config.refresh.maxConcurrent);
    const spacingMs = ratePerSecond === undefined ? 0 : SECOND_MS / ratePerSecond;
    const startedMs = this.clock.monotonicMs();
    const renewals = batch.map((due, index) =>
      slots(async () => {
        const waitMs = startedMs + index * spacingMs - this.clock.monotonicMs();
        if (waitMs > 0) await this.clock.sleep(waitMs);
        count(tally, await this.renew(due));
      }),
    );
    await Promise.all(renewals);
  }

  private async renew(due: DueAuthorization): Promise<RefreshOutcome | 'surprise'> {
    try {
      return await this.refreshes.refresh(due.id, { trigger: 'schedule', seenVersion: due.version });
    } catch (error) {
      this.logger.error(
        `sweep failed authorization=${due.id} error=${error instanceof Error ? error.name : 'unknown'}`,
      );
      return 'surprise';
    }
  }
}

function count(tally: Tally, outcome: RefreshOutcome | 'surprise'): void {
  tally.due += 1;
  tally[tallied(outcome)] += 1;
}

function tallied(outcome: RefreshOutcome | 'surprise'): 'renewed' | 'skipped' | 'needsReconnect' | 'failed' {
  if (outcome === 'surprise') return 'failed';
  switch (outcome.kind) {
    case 'renewed':
      return 'renewed';
    case 'followed':
    case 'busy':
      return 'skipped';
    case 'needs_reconnect':
    case 'revoked':
      return 'needsReconnect';
    default:
      return 'failed';
  }
}
