import pLimit, { type LimitFunction } from 'p-limit';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { NotionRequestRefusedError } from '../domain/errors.js';
import type { AccessToken } from '../domain/secret.js';

/** The calls of one authorization that are queued or on the wire, and what they learned of its token. */
export class CallLane {
  /** The latest token that Notion refused; no call leaves the queue with it again. */
  rejected: AccessToken | undefined;

  constructor(readonly limit: LimitFunction) {}

  reject(token: AccessToken): void {
    if (this.rejected === undefined || this.rejected.version < token.version) this.rejected = token;
  }

  knowsRejected(token: AccessToken): boolean {
    return this.rejected !== undefined && token.version <= this.rejected.version;
  }

  get isIdle(): boolean {
    return this.limit.activeCount === 0 && this.limit.pendingCount === 0;
  }
}

type LaneLimits = Pick<
  NotionAuthConfig['outbound'],
  'maxConcurrentPerAuthorization' | 'maxQueuedPerAuthorization' | 'maxCalls'
>;

/** One lane per authorization in use; a lane that falls idle is dropped, so memory follows the calls under way. */
export class CallLanes {
  private readonly lanes = new Map<AuthorizationId, CallLane>();
  private calls = 0;

  constructor(private readonly limits: LaneLimits) {}

  /**
   * Runs `call` when the lane has room. Calls leave in the order they came.
   * @throws {@link NotionRequestRefusedError} `queue_full` when too many wait already, for this authorization or in all.
   */
  async run<Result>(id: AuthorizationId, call: (lane: CallLane) => Promise<Result>): Promise<Result> {
    this.requireRoom(id);
    const lane = this.laneOf(id);
    this.calls += 1;
    try {
      return await lane.limit(call, lane);
    } finally {
      this.calls -= 1;
      // A lane that was dropped already must not take its successor along: that would be two lanes for one bound.
      if (lane.isIdle && this.lanes.get(id) === lane) this.lanes.delete(id);
    }
  }

  get size(): number {
    return this.lanes.size;
  }

  private requireRoom(id: AuthorizationId): void {
    const queued = this.lanes.get(id)?.limit.pendingCount ?? 0;
    if (queued >= this.limits.maxQueuedPerAuthorization || this.calls >= this.limits.maxCalls) {
      throw new NotionRequestRefusedError('queue_full');
    }
  }

  private laneOf(id: AuthorizationId): CallLane {
    const existing = this.lanes.get(id);
    if (existing !== undefined) return existing;
    const lane = new CallLane(pLimit(this.limits.maxConcurrentPerAuthorization));
    this.lanes.set(id, lane);
    return lane;
  }
}
