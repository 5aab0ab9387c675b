import { Inject, Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Authorization } from '../domain/authorization.js';
import { AuthorizationStore, type ConnectResult, type NewConnection } from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import {
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { PairCustody } from '../refresh/pair.custody.js';
import { RollForward } from '../refresh/roll-forward.js';
import { storeCall } from '../refresh/store-call.js';
import type { VerifiedCallback } from './verified-callback.js';

/** Waits before the store is asked again to keep a grant whose code is already spent. */
const KEEP_RETRY_WAITS_MS = [200, 1_000] as const;

export interface CompletedConnect {
  readonly kind: 'connected' | 'reconnected';
  readonly authorization: Authorization;
  /** Path on the application's own origin. */
  readonly returnTo: string;
}

/** Turns a code into a stored authorization: all of it or nothing. */
@Injectable()
export class CodeExchange {
  private readonly slots: LimitFunction;

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'connect'>,
    private readonly notion: NotionOAuth,
    private readonly authorizations: AuthorizationStore,
    private readonly custody: PairCustody,
    private readonly rollForward: RollForward,
    private readonly clock: Clock,
  ) {
    this.slots = pLimit(config.connect.maxExchanges);
  }

  /** Whoever has an account could otherwise make as many requests to Notion of ours as they can send callbacks. */
  get isFull(): boolean {
    return this.slots.activeCount + this.slots.pendingCount >= this.config.connect.maxExchanges;
  }

  exchange(callback: VerifiedCallback): Promise<CompletedConnect> {
    return this.slots(() => this.exchangeNow(callback));
  }

  private async exchangeNow(callback: VerifiedCallback): Promise<CompletedConnect> {
    const { returnTo, ...connect } = callback.pending;
    const answer = await this.notion.exchange(callback.takeCode(), connect.redirectUri);
    if (answer.kind !== 'success') throw new NotionConnectFailedError(answer.kind, answer.failure);
    const result = await this.keep({ ...connect, grant: answer.grant, pair: answer.pair });
    // Its tokens are let go, never stored and not revoked. Notion may have handed out the very pair that another
    // authorization lives on, of somebody else here or in another environment with the same client id.
    if (result.kind === 'other_grant') throw new NotionOtherGrantError(connect.reconnect!);
    const { id, version } = result.authorization;
    this.custody.retainUserChange({
      kind: 'pair',
      authorizationId: id,
      version,
      pair: answer.pair,
      attemptId: null,
    });
    return { kind: result.kind, authorization: result.authorization, returnTo };
  }

  private async keep(connection: NewConnection): Promise<ConnectResult> {
    for (const waitMs of KEEP_RETRY_WAITS_MS) {
      try {
        return await this.connect(connection);
      } catch (error) {
        if (!(error instanceof NotionStoreUnavailableError)) throw error;
        await this.clock.sleep(waitMs);
      }
    }
    return this.connect(connection);
  }

  private async connect(connection: NewConnection): Promise<ConnectResult> {
    // After a failover that nobody has noticed yet, the version could be one that was given out before.
    await storeCall(this.rollForward.currentTimeline());
    return storeCall(this.authorizations.connect(connection));
  }
}
