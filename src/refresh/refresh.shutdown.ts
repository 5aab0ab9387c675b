import { setMaxListeners } from 'node:events';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { NotionLogger } from '../logging/notion.logger.js';
import { PairCustody } from './pair.custody.js';
import { ShutdownCoordinator, type ShutdownMember } from './shutdown.coordinator.js';

/**
 * Knows when refreshing ends (rule R20): in the application's lifecycle hook, or on a signal that nothing else handles.
 * From then on nothing is claimed, refreshes in flight are completed, and what is left after that goes to the journal.
 */
@Injectable()
export class RefreshShutdown implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new NotionLogger('NotionRefreshService');
  private readonly coordinator = ShutdownCoordinator.shared;
  private isClosing = false;
  private readonly closed = new AbortController();
  private readonly drains: (() => Promise<unknown>)[] = [];
  private readonly member: ShutdownMember = {
    drain: () => this.drain(),
    saveWhatIsLeft: () => {
      this.saveWhatIsLeft();
    },
  };

  constructor(private readonly custody: PairCustody) {
    setMaxListeners(0, this.closed.signal);
  }

  get hasBegun(): boolean {
    return this.isClosing || this.coordinator.isDraining;
  }

  /** Aborts after the drain of a closing application: no retry begins any more, and none is waited for. */
  get closedSignal(): AbortSignal {
    return this.closed.signal;
  }

  /** Also what to wait for before the process may end. */
  drainWith(drain: () => Promise<unknown>): void {
    this.drains.push(drain);
  }

  onModuleInit(): void {
    this.coordinator.join(this.member);
  }

  /** Comes before the database's connection is closed, which happens in `onApplicationShutdown`. */
  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    await this.drain();
    this.closed.abort();
    this.coordinator.leave(this.member);
  }

  /** Journals the token pairs that are in memory only, and logs those that cannot be journaled. Synchronous. */
  saveWhatIsLeft(): void {
    for (const { authorizationId, attemptId } of this.custody.flush()) {
      this.logger.error('token pair not saved', {
        stage: 'refresh',
        authorization: authorizationId,
        attempt: attemptId,
      });
    }
  }

  private async drain(): Promise<void> {
    await Promise.all(this.drains.map((drain) => drain()));
    this.saveWhatIsLeft();
  }
}
