import type { SeededRandom } from '../harness/seeded.random.js';
import type { TokenPair } from '../../src/domain/authorization.js';
import type { ClassifiedFailure, IntrospectionAnswer, RefreshAnswer } from '../../src/domain/notion-oauth.js';
import { Secret } from '../../src/domain/secret.js';
import type { VirtualTime } from './virtual.time.js';

const QUICKEST_MS = 120;
const USUAL_MS = 400;

/**
 * - `refused`: no connection can be made.
 * - `unavailable`: 503 without a word about the token.
 * - `rejects_all`: Notion calls every grant dead, by mistake, also when it is asked about its tokens.
 * - `rejects_refreshes`: the same, but introspection calls the tokens active.
 */
export type NotionMode = 'up' | 'refused' | 'unavailable' | 'rejects_all' | 'rejects_refreshes';

/** One grant as Notion knows it. */
export interface Grant {
  readonly botId: string;
  readonly workspaceId: string;
  readonly userId: string;
  generation: number;
  /** Revoked by its user, or ended because a spent token was presented. */
  isAlive: boolean;
  isAccessTokenAlive: boolean;
  /** The generation that we are known to hold; when it is not the latest, that was lost on its way. */
  heldGeneration: number;
  /** How long a refresh of this grant takes, beyond the usual. */
  slowMs: number;
}

interface Request {
  readonly grant: Grant;
  readonly timeoutMs: number;
  readonly isListening: () => boolean;
}

/** Notion's token endpoint in virtual time: strict rotation, and a spent token that is presented ends its grant. */
export class NotionWorld {
  mode: NotionMode = 'up';
  rateLimitedUntilMs = 0;
  /** Presented although the successor was ours by then; must stay 0. */
  replays = 0;
  requests = 0;
  rotations = 0;
  readonly grants = new Map<string, Grant>();
  onRequest: (grant: Grant, end: string) => void = () => undefined;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
  ) {}

  grant(botId: string, workspaceId: string, userId: string): Grant {
    const grant: Grant = {
      botId,
      workspaceId,
      userId,
      generation: 1,
      isAlive: true,
      isAccessTokenAlive: true,
      heldGeneration: 1,
      slowMs: 0,
    };
    this.grants.set(botId, grant);
    return grant;
  }

  /** The user connects again: everything older is void. */
  renew(grant: Grant): TokenPair {
    grant.generation += 1;
    grant.isAlive = true;
    grant.isAccessTokenAlive = true;
    return this.pairOf(grant);
  }

  revoke(grant: Grant): void {
    grant.isAlive = false;
    grant.isAccessTokenAlive = false;
  }

  pairOf({ botId, generation }: Grant): TokenPair {
    return {
      accessToken: new Secret(`access_${botId}_${String(generation)}`),
      refreshToken: new Secret(`refresh_${botId}_${String(generation)}`),
      expiresInMs: null,
    };
  }

  /** Whether an API call with it succeeds. */
  accepts(accessToken: Secret): boolean {
    const [grant, generation] = this.find(accessToken);
    return grant.isAlive && grant.isAccessTokenAlive && generation === grant.generation;
  }

  /** Whether the module can still renew it. */
  isHealthy(grant: Grant): boolean {
    return grant.isAlive && grant.heldGeneration === grant.generation;
  }

  /** @param isListening - false once the process that asked is gone: then what has not arrived by then never does. */
  async refresh(token: Secret, timeoutMs: number, isListening: () => boolean): Promise<RefreshAnswer> {
    const [grant, generation] = this.find(token);
    this.requests += 1;
    if (this.mode === 'refused') return this.failed('not_sent', { code: 'ECONNREFUSED' }, 5);
    const tookMs = this.random.whole(QUICKEST_MS, USUAL_MS) + grant.slowMs;
    const request = { grant, timeoutMs, isListening };
    if (tookMs <= timeoutMs) return this.process(request, generation, tookMs);
    return this.failed('unknown', { code: 'timeout' }, timeoutMs);
  }

  async introspect(token: Secret): Promise<IntrospectionAnswer> {
    await this.time.sleep(this.random.whole(QUICKEST_MS, USUAL_MS));
    if (this.mode === 'refused' || this.mode === 'unavailable') {
      return { kind: 'useless', failure: { status: 503 } };
    }
    const [grant, generation, kind] = this.find(token);
    const isLive = grant.isAlive && generation === grant.generation && this.mode !== 'rejects_all';
    const isActive = isLive && (kind === 'refresh' || grant.isAccessTokenAlive);
    return isActive ? { kind: 'active', scopes: null } : { kind: 'inactive' };
  }

  private async process(request: Request, generation: number, tookMs: number): Promise<RefreshAnswer> {
    const { grant, isListening } = request;
    await this.time.sleep(tookMs / 2);
    // The connection of a killed process is reset, and what was not read from it by then is not processed.
    if (!isListening()) return new Promise(() => undefined);
    const answer = this.decide(grant, generation);
    await this.time.sleep(tookMs / 2);
    return answer;
  }

  private decide(grant: Grant, generation: number): RefreshAnswer {
    const refusal = this.refusal();
    if (refusal !== null) {
      this.onRequest(grant, refusal.kind);
      return refusal;
    }
    const isSpent = generation !== grant.generation;
    if (isSpent && grant.isAlive) {
      if (grant.heldGeneration === grant.generation) this.replays += 1;
      this.revoke(grant);
    }
    if (!grant.isAlive || this.mode === 'rejects_all' || this.mode === 'rejects_refreshes') {
      this.onRequest(grant, isSpent ? 'spent' : 'dead');
      return { kind: 'dead', failure: { status: 400, code: 'invalid_grant' } };
    }
    grant.generation += 1;
    grant.isAccessTokenAlive = true;
    this.rotations += 1;
    this.onRequest(grant, 'rotated');
    return { kind: 'success', pair: this.pairOf(grant) };
  }

  private refusal(): ClassifiedFailure | null {
    const leftMs = this.rateLimitedUntilMs - this.time.nowMs;
    if (leftMs > 0) {
      const retryAfterMs = Math.ceil(leftMs / 1_000) * 1_000;
      return { kind: 'not_processed', failure: { status: 429, code: 'rate_limited', retryAfterMs } };
    }
    return this.mode === 'unavailable' ? { kind: 'unknown', failure: { status: 503 } } : null;
  }

  private async failed(
    kind: ClassifiedFailure['kind'],
    failure: ClassifiedFailure['failure'],
    afterMs: number,
  ): Promise<ClassifiedFailure> {
    await this.time.sleep(afterMs);
    return { kind, failure };
  }

  private find(token: Secret): [Grant, number, string] {
    const [kind, botId, generation] = token.reveal().split('_') as [string, string, string];
    return [this.grants.get(botId)!, Number(generation), kind];
  }
}
