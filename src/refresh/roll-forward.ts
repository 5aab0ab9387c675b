import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { AuthorizationStore } from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { DatabaseWatch } from '../domain/database-watch.js';
import { SECOND_MS } from '../domain/duration.js';
import { PairJournal, type JournaledChange } from '../domain/pair-journal.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { PairCustody } from './pair.custody.js';
import { RefreshMeter } from './refresh.meter.js';
import { RevocationSender } from './revocation.sender.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { QuietLogger } from '../logging/quiet.logger.js';

/** An idle process hears of a failover by asking. */
const LOOK_EVERY_MS = 2 * SECOND_MS;
const BATCH_SIZE = 500;

/**
 * Puts back what a database lost that went back in time (T13, the guard `rollForward`), from what this process
 * retained or what its journal kept over a restart.
 */
@Injectable()
export class RollForward implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new NotionLogger('NotionRollForward');
  private readonly rows: QuietLogger;
  /** The last that was known. `null`: none so far. */
  private timeline: string | null = null;
  private connectionChanges = 0;
  private comparedChanges = -1;
  private comparing: Promise<void> | null = null;
  private replaying: Promise<void> | null = null;
  private leftInJournal = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly watch: DatabaseWatch,
    private readonly journal: PairJournal,
    private readonly custody: PairCustody,
    private readonly revocations: RevocationSender,
    private readonly meter: RefreshMeter,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    clock: Clock,
  ) {
    this.rows = new QuietLogger('NotionRollForward', clock);
  }

  /** What an earlier process had been answered and could not store any more is stored before anything is refreshed. */
  async onModuleInit(): Promise<void> {
    this.watch.onConnectionChange(() => {
      this.connectionChanges += 1;
    });
    // Not known now: nothing is sent before it is.
    await this.compareOnce().catch(() => undefined);
    await this.replayJournal();
    await this.store.releaseDeadProcesses();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /**
   * Names the database's timeline as this process knows it, compared again after a connection broke or was made: after
   * another one than before, what was claimed may be forgotten there.
   *
   * @throws the error of the comparison while the timeline is not known. Nothing may be claimed then: the server may
   * be another one, whose rows hold spent tokens.
   */
  async currentTimeline(): Promise<string | null> {
    if (this.comparedChanges !== this.connectionChanges) await this.compareOnce();
    return this.timeline;
  }

  /** What forbids sending a request under a claim that was made on `timeline`; `null` when nothing does. */
  async obstacleSince(timeline: string | null): Promise<'database_changed' | 'database_unverified' | null> {
    try {
      return (await this.currentTimeline()) === timeline ? null : 'database_changed';
    } catch {
      return 'database_unverified';
    }
  }

  /** Puts back what this process knows to be newer than the stored version; `false` when it knows nothing. */
  async repair(id: AuthorizationId, storedVersion: number): Promise<boolean> {
    const newer = this.custody.newerThan(id, storedVersion);
    if (newer === null) return false;
    this.meter.foundBehind();
    await this.putBack(newer);
    return true;
  }

  /** `true` when the row has it now. Tokens that nobody will use any more are revoked. Many at once go together. */
  async putBack(change: RetainedChange): Promise<boolean> {
    const verdict = await this.store.rollForward(change);
    if (verdict.kind === 'not_found') return false;
    const rolled = verdict.kind === 'rolled_forward';
    if (rolled) {
      this.meter.putBack();
      this.rows.warn('rolled forward', 'rolled forward', {
        authorization: change.authorizationId,
        version: change.version,
      });
    }
    await this.revocations.send(verdict.revocations);
    return rolled;
  }

  /** A claim, a call and the timer may notice at the same time: one comparison serves them all. */
  private compareOnce(): Promise<void> {
    this.comparing ??= this.compare().finally(() => {
      this.comparing = null;
    });
    return this.comparing;
  }

  private async compare(): Promise<void> {
    const changesSeen = this.connectionChanges;
    const timeline = (await this.watch.compare(this.config.refresh.failoverHoldMs)) ?? this.timeline;
    if (this.timeline !== null && this.timeline !== timeline) {
      this.logger.warn('the database is another server than before: putting back what it lost');
      await this.putAllBack();
    }
    // Only now: where something failed, all of it is done again.
    this.timeline = timeline;
    this.comparedChanges = changesSeen;
  }

  /** An idle process has no query of its own that would notice. */
  private async look(): Promise<void> {
    try {
      if (this.leftInJournal) await this.replayJournal();
      const hasSomething = this.custody.all().length > 0;
      if (hasSomething || this.comparedChanges !== this.connectionChanges) await this.compareOnce();
    } catch {
      // The database does not answer: looked at again in a moment.
    }
  }

  private async putAllBack(): Promise<void> {
    const retained = this.custody.all();
    for (let from = 0; from < retained.length; from += BATCH_SIZE) {
      const batch = retained.slice(from, from + BATCH_SIZE);
      const versions = await this.store.readVersions(batch.map((change) => change.authorizationId));
      const forgotten = batch.filter(({ authorizationId, version }) => {
        const stored = versions.get(authorizationId);
        return stored !== undefined && stored < version;
      });
      await Promise.all(
        forgotten.map((change) => {
          this.meter.foundBehind();
          return this.putBack(change);
        }),
      );
    }
  }

  /** One pass over the journal, however many ask for it. */
  private replayJournal(): Promise<void> {
    this.replaying ??= this.replayOnce().finally(() => {
      this.replaying = null;
    });
    return this.replaying;
  }

  private async replayOnce(): Promise<void> {
    this.leftInJournal = false;
    for (let batch = this.journal.replay(); batch.length > 0; batch = this.journal.replay()) {
      await Promise.all(batch.map((one) => this.replay(one)));
    }
    if (this.journal.hasUnreadFiles) this.leftInJournal = true;
  }

  private async replay({ retained, receipt }: JournaledChange): Promise<void> {
    try {
      await this.putBack(retained);
      this.journal.confirm(receipt);
      this.custody.retain(retained);
    } catch (error) {
      this.leftInJournal = true;
      const name = error instanceof Error ? error.name : 'unknown';
      this.rows.error(`journaled change ${name}`, 'a journaled change waits for the database', {
        authorization: retained.authorizationId,
        error: name,
      });
    }
  }
}
