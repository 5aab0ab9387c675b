import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Claim, UnresolvedAttempt } from '../domain/authorization-store.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { jittered } from './backoff.js';
import type { Verdict } from './settlement.js';

/** How soon an unresolved attempt is looked at again while its quarantine lasts. */
const LOOK_AGAIN_MS = 15 * SECOND_MS;
/** As above where introspection itself failed: callers may still be waiting when Notion responds again. */
const INTROSPECT_AGAIN_MS = 2 * SECOND_MS;

/**
 * - `send`: Notion says that the refresh token is unspent (T8).
 * - `replay`: nothing more can be learned without presenting it once more (T10).
 */
export type Resolution = 'send' | 'replay' | Verdict;

/**
 * What to do about an earlier attempt whose outcome is unknown, before its refresh token is presented again: the
 * guards `introspectBeforeReplay` and `restartGrace`. Introspection is a hint that costs nothing; the quarantine
 * gives a restarted process the time to bring the answer it may still hold (rule R14).
 */
@Injectable()
export class UnknownOutcomeRecovery {
  constructor(
    private readonly notion: NotionOAuth,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {}

  async resolve(claim: Claim, unresolved: UnresolvedAttempt): Promise<Resolution> {
    const answer = await this.notion.introspect(claim.refreshToken);
    if (answer.kind === 'active') return 'send';
    const leftMs = (await this.quarantineMs(claim)) - unresolved.ageMs;
    if (leftMs > 0) {
      const pauseMs = answer.kind === 'useless' ? jittered(INTROSPECT_AGAIN_MS) : LOOK_AGAIN_MS;
      return lookAgainIn(Math.min(leftMs, pauseMs), unresolved.replayed);
    }
    const mayReplay = this.config.refresh.replay === 'once' && !unresolved.replayed;
    return answer.kind === 'useless' && mayReplay ? 'replay' : LOST;
  }

  /** Nobody is helped by a long quarantine once the old access token is dead too. */
  private async quarantineMs(claim: Claim): Promise<number> {
    const { quarantineMs, leaseMs, restartGraceMs } = this.config.refresh;
    const afterRestart = Math.min(quarantineMs, leaseMs + restartGraceMs);
    if (claim.accessToken === null) return afterRestart;
    const answer = await this.notion.introspect(claim.accessToken);
    return answer.kind === 'inactive' ? afterRestart : quarantineMs;
  }
}

const LOST: Verdict = {
  settlement: { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
  outcome: 'lost',
};

function lookAgainIn(retryInMs: number, replayed: boolean): Verdict {
  return { settlement: { kind: 'unknown', retryInMs, sent: false, replayed }, outcome: 'unknown' };
}
