import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import {
  ConnectStateStore,
  type ConnectStateKeys,
  type ConsumeResult,
  type PendingConnect,
} from '../domain/connect-state-store.js';
import { NotionStoreUnavailableError } from '../domain/errors.js';
import { storeCall } from '../refresh/store-call.js';

/** The connects under way. Those that nobody comes back from are cleared out while new ones begin. */
@Injectable()
export class PendingConnects {
  private pruneAtMs = 0;
  private waiting = 0;

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly states: ConnectStateStore,
    private readonly clock: Clock,
  ) {}

  async begin(keys: ConnectStateKeys, pending: PendingConnect): Promise<void> {
    const { stateLifetimeMs: lifetimeMs, maxPendingPerOwner: maxPerOwner } = this.config.connect;
    await this.inTurn(async () => {
      await this.pruneOncePer(lifetimeMs);
      await this.states.issue(keys, pending, { lifetimeMs, maxPerOwner });
    });
  }

  /** Single use: of any number of callbacks with the same keys one gets the connect. */
  end(keys: ConnectStateKeys): Promise<ConsumeResult> {
    return this.inTurn(() => this.states.consume(keys));
  }

  /** Anybody may send callbacks, so those that wait for the database are bounded; the others cost it nothing. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.config.connect.maxWaiting) throw new NotionStoreUnavailableError();
    this.waiting += 1;
    try {
      return await storeCall(work());
    } finally {
      this.waiting -= 1;
    }
  }

  private async pruneOncePer(intervalMs: number): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.pruneAtMs) return;
    this.pruneAtMs = nowMs + intervalMs;
    await this.states.prune();
  }
}
