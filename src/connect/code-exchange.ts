import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Authorization } from '../domain/authorization.js';
import type { ConnectResult } from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import {
  NotionAuthorizationNotFoundError,
  NotionCallbackRefusedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import type { ExchangedGrant } from '../domain/exchanged-grant.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { growingWaits } from '../refresh/backoff.js';
import { waitAtMost } from '../refresh/bounded-wait.js';
import { GrantKeeper } from '../refresh/grant.keeper.js';
import { PairCustody } from '../refresh/pair.custody.js';
import { RefreshShutdown } from '../refresh/refresh.shutdown.js';
import { RollForward } from '../refresh/roll-forward.js';
import { PendingConnects } from './pending.connects.js';
import type { VerifiedCallback } from './verified-callback.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2 * SECOND_MS;

export interface CompletedConnect {
  readonly kind: 'connected' | 'reconnected';
  readonly authorization: Authorization;
  /** Path on the application's own origin, or URL on one of `connect.allowedReturnOrigins`. */
  readonly returnTo: string;
}

/** Turns a code into a stored authorization. From Notion's response on, the token pair is kept until it is stored. */
@Injectable()
export class CodeExchange {
  private readonly slots: LimitFunction;
  private readonly failures: QuietLogger;
  /** Exchanges, each until its pair is stored. */
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'connect' | 'refresh'>,
    private readonly notion: NotionOAuth,
    private readonly grants: GrantKeeper,
    private readonly custody: PairCustody,
    private readonly rollForward: RollForward,
    private readonly pending: PendingConnects,
    private readonly shutdown: RefreshShutdown,
    private readonly clock: Clock,
  ) {
    this.slots = pLimit(config.connect.maxExchanges);
    this.failures = new QuietLogger('NotionConnect', clock);
    shutdown.drainWith(() =>
      waitAtMost(Promise.allSettled(this.underWay), { timeoutMs: config.refresh.drainMs }),
    );
  }

  /**
   * Every account could otherwise cause as many requests to Notion as it sends callbacks. Counts pairs that wait for the
   * database too, so that their number is bounded.
   */
  get isFull(): boolean {
    return this.underWay.size >= this.config.connect.maxExchanges;
  }

  async exchange(callback: VerifiedCallback): Promise<CompletedConnect> {
    const { returnTo } = callback.pending;
    const exchanged = this.slots(() => this.exchangeNow(callback));
    const kept = this.tracked(exchanged.then((exchange) => this.keep(exchange)));
    void this.settle(callback, kept);
    const exchange = await exchanged;
    const result = await waitAtMost(kept, { timeoutMs: this.config.refresh.callerWaitMs }).catch(() => null);
    if (result === null || result === 'timed_out')
      throw new NotionStoreUnavailableError({ connecting: { returnTo } });
    return completedBy(exchange, result, returnTo);
  }

  private async exchangeNow(callback: VerifiedCallback): Promise<ExchangedGrant> {
    const { ownerId, clientId, redirectUri, reconnect } = callback.pending;
    const sentAtMs = this.clock.monotonicMs();
    this.custody.prepare();
    const answer = await this.notion.exchange(callback.takeCode(), redirectUri);
    if (answer.kind !== 'success') throw new NotionConnectFailedError(answer.kind, answer.failure);
    const { grant, pair } = answer;
    const consumedAtMs = callback.consumed?.atMs ?? this.clock.now().getTime();
    const exchangedAtMs = Math.round(consumedAtMs + this.clock.monotonicMs() - sentAtMs);
    const connection = { ownerId, clientId, redirectUri, reconnect, grant, pair, exchangedAtMs };
    const exchange: ExchangedGrant = { kind: 'exchange', exchangeId: randomUUID(), connection };
    // R10: no other work of this process comes between the response and its first durable byte.
    this.custody.takeExchange(exchange);
    return exchange;
  }

  /** R12. From here on the only copy of the pair is ours: the write is repeated until it succeeds. */
  private async keep(exchange: ExchangedGrant): Promise<ConnectResult> {
    for (const waitMs of growingWaits(FIRST_RETRY_MS, LONGEST_RETRY_MS)) {
      try {
        // After a failover that is not noticed yet, the version could be one that was given out before.
        await this.rollForward.currentTimeline();
        return await this.grants.store(exchange);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'unknown';
        const facts = {
          stage: 'exchange',
          authorization: exchange.connection.reconnect,
          error: name,
        } as const;
        this.failures.error('store failed', 'store failed, trying again', facts);
        await this.clock.sleep(waitMs, this.shutdown.closedSignal);
        if (this.shutdown.closedSignal.aborted) {
          this.shutdown.saveWhatIsLeft();
          throw error;
        }
      }
    }
    throw new Error('unreachable: the waits never end');
  }

  /** Tells a callback that comes again how this one ended. */
  private async settle({ consumed }: VerifiedCallback, kept: Promise<ConnectResult>): Promise<void> {
    const outcome = await kept.then(
      ({ kind }) => (kind === 'connected' || kind === 'reconnected' ? 'completed' : 'failed'),
      // Without a code there was nothing to try: whoever took it says how it ended.
      (error: unknown) => (error instanceof NotionCallbackRefusedError ? null : 'failed'),
    );
    if (consumed !== undefined && outcome !== null) await this.pending.settle(consumed.stateHash, outcome);
  }

  private tracked<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    const end = () => this.underWay.delete(work);
    work.then(end, end);
    return work;
  }
}

function completedBy(
  { connection }: ExchangedGrant,
  result: ConnectResult,
  returnTo: string,
): CompletedConnect {
  if (result.kind === 'disconnected') throw new NotionAuthorizationNotFoundError();
  if (result.kind !== 'other_grant')
    return { kind: result.kind, authorization: result.authorization, returnTo };
  const { expected, renewed } = result;
  throw new NotionOtherGrantError(connection.reconnect!, {
    workspaceName: expected?.workspaceName ?? null,
    renewed: renewed && { authorizationId: renewed.id, workspaceName: renewed.workspaceName },
  });
}
