import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Claim, UnresolvedAttempt } from '../domain/authorization-store.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import type { Verdict } from './settlement.js';

/** How soon an unresolved attempt is looked at again while its quarantine lasts. */
const LOOK_AGAIN_MS = 15 * SECOND_MS;

/**
 * What to do about an earlier attempt whose outcome is unknown, before its refresh token is presented again
 * (transitions T8 to T10). Introspection is a hint that costs nothing; the quarantine gives a restarted process the
 * time to bring the answer it may still hold (rule R14).
 */
@Injectable()
export class UnknownOutcomeRecovery {
  constructor(
    private readonly notion: NotionOAuth,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {}

  /** `'send'`: the token may be presented. Otherwise what the attempt ends with instead. */
  async resolve(claim: Claim, unresolved: UnresolvedAttempt): Promise<'send' | Verdict> {
    const answer = await this.notion.introspect(claim.refreshToken);
    if (answer.kind === 'active') return 'send';
    const leftMs = (await this.quarantineMs(claim)) - unresolved.ageMs;
    if (leftMs > 0)
      return {
        settlement: { kind: 'unknown', retryInMs: Math.min(leftMs, LOOK_AGAIN_MS) },
        outcome: 'unknown',
      };
    if (answer.kind === 'useless') return 'send';
    return { settlement: { kind: 'needs_reconnect', reason: 'lost_rotation' }, outcome: 'lost' };
  }

  /** Nobody is helped by a long quarantine once the old access token is dead too. */
  private async quarantineMs(claim: Claim): Promise<number> {
    const { quarantineMs, leaseMs, restartGraceMs } = this.config.refresh;
    if (claim.accessToken === null) return leaseMs + restartGraceMs;
    const answer = await this.notion.introspect(claim.accessToken);
    return answer.kind === 'inactive' ? Math.min(quarantineMs, leaseMs + restartGraceMs) : quarantineMs;
  }
}
