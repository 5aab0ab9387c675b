import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { NotionRequestRefusedError } from '../domain/errors.js';
import type { AccessToken } from '../domain/secret.js';
import { NotionTokenService } from '../refresh/notion-token.service.js';
import { CallCancellation } from './call-cancellation.js';
import { CallLanes, type CallLane } from './call-lanes.js';
import { CallMeter } from './call.meter.js';
import { isTokenRefusal, type HttpAnswer } from './http-answer.js';
import { NotionHttpPool } from './notion-http.pool.js';
import { prepareRequest, type FetchInput, type OutboundRequest } from './outbound-request.js';

/** A token that was refused although it was new would only be followed by another such. */
const COOL_DOWN_MS = MINUTE_MS;
const MAX_COOLING_DOWN = 1_000;
/** One after a renewal; a second only when the first was made with somebody else's, already renewed token. */
const MAX_REPEATS = 2;
/** How long a call in flight may hold the process after the application is closed. */
const CLOSED_CALL_MS = 3 * SECOND_MS;

/**
 * Sends calls in the name of an authorization: a bounded number at once, each with the token of the moment it leaves
 * the queue, and once more with a newer token when Notion refuses that one. No other answer refreshes or repeats
 * anything: the caller gets it as Notion gave it.
 */
@Injectable()
export class AuthorizedCalls implements OnApplicationShutdown {
  private readonly lanes: CallLanes;
  private readonly callTimeoutMs: number;
  /** Calls that wait or are in flight, and open event streams. */
  private readonly open = new Set<CallCancellation>();
  /** Version whose token was refused right after it was renewed. */
  private readonly renewedInVain = new LRUCache<AuthorizationId, number>({
    max: MAX_COOLING_DOWN,
    ttl: COOL_DOWN_MS,
  });

  constructor(
    private readonly tokens: NotionTokenService,
    private readonly pool: NotionHttpPool,
    private readonly meter: CallMeter,
    @Inject(NOTION_AUTH_CONFIG) config: NotionAuthConfig,
  ) {
    this.lanes = new CallLanes(config.outbound);
    this.callTimeoutMs = config.outbound.callTimeoutMs;
  }

  async send(id: AuthorizationId, input: FetchInput, init: RequestInit = {}): Promise<HttpAnswer> {
    const callerSignal = init.signal ?? (input instanceof Request ? input.signal : undefined);
    const request = await prepareRequest(input, init, this.pool.origin);
    callerSignal?.throwIfAborted();
    const cancellation = new CallCancellation(callerSignal);
    this.open.add(cancellation);
    const answer = cancellation.orAborted(
      this.meter.measure(id, request, () =>
        this.lanes.run(id, (lane) => this.perform(id, lane, request, cancellation)),
      ),
    );
    void answer
      .then(({ streamEnded }) => streamEnded)
      .catch(() => undefined)
      .then(() => this.open.delete(cancellation));
    return answer;
  }

  /**
   * Other modules may still have work to finish, so later calls work as before. Calls that are open now end soon:
   * the SDK holds the process for as long as a call of its is in flight.
   */
  onApplicationShutdown(): void {
    const open = [...this.open];
    setTimeout(() => {
      for (const call of open) call.cancel(new DOMException('The application is closed', 'AbortError'));
    }, CLOSED_CALL_MS).unref();
  }

  private async perform(
    id: AuthorizationId,
    lane: CallLane,
    request: OutboundRequest,
    cancellation: CallCancellation,
  ): Promise<HttpAnswer> {
    cancellation.throwIfCancelled();
    cancellation.startTimeLimit(this.callTimeoutMs);
    try {
      const answer = await this.sendWithLiveToken(id, lane, request, cancellation);
      cancellation.release(answer.streamEnded);
      return answer;
    } catch (error) {
      cancellation.release();
      throw error;
    }
  }

  private async sendWithLiveToken(
    id: AuthorizationId,
    lane: CallLane,
    request: OutboundRequest,
    cancellation: CallCancellation,
  ): Promise<HttpAnswer> {
    const signal = cancellation.callerSignal;
    let token = await this.tokenFor(id, lane, signal);
    let answer = await this.pool.send(request, token, cancellation);
    for (let repeats = 0; repeats < MAX_REPEATS && isTokenRefusal(answer); repeats += 1) {
      const newer = await this.tokenAfter(token, lane, signal);
      if (newer === null) return answer;
      if (!request.isReplayable) throw new NotionRequestRefusedError('body_not_replayable');
      token = newer;
      answer = await this.pool.send(request, token, cancellation);
      // A token that was read may have been renewed again by others since; one that we renewed may not.
      if (token.isRenewedHere) break;
    }
    if (isTokenRefusal(answer)) this.renewedInVain.set(id, token.version);
    return answer;
  }

  private async tokenFor(id: AuthorizationId, lane: CallLane, signal?: AbortSignal): Promise<AccessToken> {
    const token = await this.tokens.getAccessToken(id, { signal });
    return lane.knowsRejected(token)
      ? this.tokens.getAccessToken(id, { rejected: lane.rejected, signal })
      : token;
  }

  /** The successor of a refused token; `null` when asking for another one would be in vain. */
  private async tokenAfter(
    refused: AccessToken,
    lane: CallLane,
    signal?: AbortSignal,
  ): Promise<AccessToken | null> {
    const id = refused.authorizationId;
    if (this.renewedInVain.get(id) === refused.version) return this.storedSince(refused, signal);
    lane.reject(refused);
    return this.tokens.getAccessToken(id, { rejected: refused, signal });
  }

  /** A pair that another process or the person's reconnect stored meanwhile is worth a try; a refresh is not. */
  private async storedSince(refused: AccessToken, signal?: AbortSignal): Promise<AccessToken | null> {
    this.tokens.forget(refused.authorizationId);
    const stored = await this.tokens.getAccessToken(refused.authorizationId, { signal });
    return stored.version > refused.version ? stored : null;
  }
}
