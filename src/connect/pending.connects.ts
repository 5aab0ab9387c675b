import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import {
  ConnectStateStore,
  type ConnectOutcome,
  type ConnectStateKeys,
  type ConsumeResult,
  type PendingConnect,
} from '../domain/connect-state-store.js';
import { NotionStoreUnavailableError } from '../domain/errors.js';
import { growingWaits } from '../refresh/backoff.js';
import { SingleFlight } from '../refresh/single-flight.js';
import { storeCall } from '../refresh/store-call.js';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 500;

export type EndResult = Exclude<ConsumeResult, { readonly kind: 'in_progress' }>;

/** The connects under way. Those that nobody comes back from are cleared out while new ones begin. */
@Injectable()
export class PendingConnects {
  private pruneAtMs = 0;
  private waiting = 0;
  private readonly repeated = new SingleFlight<EndResult>();

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

  /**
   * Single use: of any number of callbacks with the same keys one gets the connect. The others wait for its outcome,
   * until `refresh.callerWaitMs` after the first.
   */
  async end(keys: ConnectStateKeys): Promise<EndResult> {
    const result = await this.consume(keys);
    if (result.kind !== 'in_progress') return result;
    // One poll for all of them: whoever holds a state could otherwise multiply lookups by repeating it.
    return this.repeated.join(keys.stateHash, () => this.awaitOutcome(keys, result));
  }

  /** Best effort: without it, a repeated callback waits until its limit, and is rejected as one of a used state. */
  async settle(stateHash: string, outcome: ConnectOutcome): Promise<void> {
    await this.states.settle(stateHash, outcome).catch(() => undefined);
  }

  private consume(keys: ConnectStateKeys): Promise<ConsumeResult> {
    return this.inTurn(() => this.states.consume(keys));
  }

  private async awaitOutcome(keys: ConnectStateKeys, first: ConsumeResult): Promise<EndResult> {
    let result = first;
    for (const waitMs of growingWaits(FIRST_WAIT_MS, LONGEST_WAIT_MS)) {
      if (result.kind !== 'in_progress') return result;
      if (result.usedForMs >= this.config.refresh.callerWaitMs) break;
      await this.clock.sleep(waitMs);
      result = await this.consume(keys);
    }
    return { kind: 'used' };
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
