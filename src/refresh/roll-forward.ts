import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationStore } from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { DatabaseWatch } from '../domain/database-watch.js';
import { SECOND_MS } from '../domain/duration.js';
import { PairJournal } from '../domain/pair-journal.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { PairCustody } from './pair.custody.js';

/** An idle process hears of a failover by asking. */
const LOOK_EVERY_MS = 2 * SECOND_MS;
const BATCH_SIZE = 500;

/**
 * Puts back what a database lost that went back in time (T13), from what this process retained or what its journal
 * kept over a restart; and holds this process's claims while others may still be doing the same (rule R18).
 */
@Injectable()
export class RollForward implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('NotionRollForward');
  private known: string | null | undefined;
  private connectionChanges = 0;
  private verifiedChanges = -1;
  private heldUntilMs = 0;
  private verifying: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly watch: DatabaseWatch,
    private readonly journal: PairJournal,
    private readonly custody: PairCustody,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {}

  /** What an earlier process had been answered and could not store any more is stored before anything is refreshed. */
  async onModuleInit(): Promise<void> {
    this.watch.onConnectionChange(() => {
      this.connectionChanges += 1;
    });
    await this.replayJournal();
    await this.store.releaseDeadProcesses();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Counts broken and new connections: two equal answers mean that nothing happened in between. */
  get changes(): number {
    return this.connectionChanges;
  }

  /**
   * The guard `holdClaimsAfterMassLoss`: for how many milliseconds no claim may begin, because the server is another
   * than before and somebody may hold newer pairs than it does.
   */
  async heldForMs(): Promise<number> {
    if (this.verifiedChanges !== this.connectionChanges) await this.verifyOnce();
    return Math.max(0, this.heldUntilMs - this.clock.monotonicMs());
  }

  /** Puts back what this process knows to be newer than the stored version; `false` when it knows nothing. */
  async repair(id: AuthorizationId, storedVersion: number): Promise<boolean> {
    const newer = this.custody.newerThan(id, storedVersion);
    if (newer === null) return false;
    await this.putBack(newer);
    return true;
  }

  /** A claim, a call or the timer may notice at the same time: one look serves them all. */
  private verifyOnce(): Promise<void> {
    this.verifying ??= this.verify().finally(() => {
      this.verifying = null;
    });
    return this.verifying;
  }

  private async verify(): Promise<void> {
    const changesSeen = this.connectionChanges;
    const incarnation = await this.watch.incarnation();
    if (this.known !== undefined && this.known !== incarnation) {
      this.heldUntilMs = this.clock.monotonicMs() + this.config.refresh.failoverHoldMs;
      this.logger.warn(`database server changed, claims held holdMs=${this.config.refresh.failoverHoldMs}`);
      await this.putAllBack();
    }
    // Only now: where the looking failed, it is done again.
    this.known = incarnation;
    this.verifiedChanges = changesSeen;
  }

  /** Without connections of its own breaking, an idle process would never ask. */
  private async look(): Promise<void> {
    if (this.custody.all().length === 0 && this.verifiedChanges === this.connectionChanges) return;
    await this.verifyOnce().catch(() => undefined);
  }

  private async putAllBack(): Promise<void> {
    const retained = this.custody.all();
    for (let from = 0; from < retained.length; from += BATCH_SIZE) {
      const batch = retained.slice(from, from + BATCH_SIZE);
      const versions = await this.store.readVersions(batch.map((change) => change.authorizationId));
      for (const change of batch) {
        const stored = versions.get(change.authorizationId);
        if (stored !== undefined && stored < change.version) await this.putBack(change);
      }
    }
  }

  private async putBack(change: RetainedChange): Promise<void> {
    const verdict = await this.store.rollForward(change);
    this.logger.warn(
      `roll forward ${verdict} authorization=${change.authorizationId} version=${change.version}`,
    );
  }

  private async replayJournal(): Promise<void> {
    for (const { retained, receipt } of this.journal.replay()) {
      try {
        await this.putBack(retained);
        this.journal.confirm(receipt);
      } catch (error) {
        // It stays in the journal, and in memory for when the database is back.
        this.logger.error(
          `a journaled pair could not be stored authorization=${retained.authorizationId} error=${error instanceof Error ? error.name : 'unknown'}`,
        );
        this.verifiedChanges = -1;
        this.known = 'unreachable';
      }
      this.custody.retain(retained);
    }
  }
}
