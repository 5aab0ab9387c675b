import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationStore, type Claim, type StoreVerdict } from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import type { RefreshAnswer } from '../domain/notion-oauth.js';
import type { RefreshOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { AccessToken } from '../domain/secret.js';
import { AccessTokenCache } from './access-token.cache.js';
import { growingWaits } from './backoff.js';
import { PairCustody, retainedPair } from './pair.custody.js';
import { RevocationSender } from './revocation.sender.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { RefreshMeter } from './refresh.meter.js';
import { RefreshShutdown } from './refresh.shutdown.js';
import { RollForward } from './roll-forward.js';
import type { LogFacts } from '../logging/log-line.js';
import { NotionLogger } from '../logging/notion.logger.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2 * SECOND_MS;

export type SuccessfulAnswer = Extract<RefreshAnswer, { kind: 'success' }>;

/** The claim whose refresh token was answered with a pair. */
export interface AnsweredClaim {
  readonly claim: Claim;
  readonly trigger: RefreshTrigger;
}

/** Brings an answered pair into the database: journal, then commit, then whoever waits. */
@Injectable()
export class PairKeeper {
  private readonly logger = new NotionLogger('NotionRefreshService');
  private readonly failures: QuietLogger;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly custody: PairCustody,
    private readonly revocations: RevocationSender,
    private readonly rollForward: RollForward,
    private readonly shutdown: RefreshShutdown,
    private readonly cache: AccessTokenCache,
    private readonly meter: RefreshMeter,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
  ) {
    this.failures = new QuietLogger('NotionRefreshService', clock);
  }

  /** An answer may come that has to be kept. */
  prepare(): void {
    this.custody.prepare();
  }

  async keep(
    { claim, trigger }: AnsweredClaim,
    answer: SuccessfulAnswer,
    upstreamMs: number,
  ): Promise<RefreshOutcome> {
    this.custody.take(claim, answer.pair);
    const verdict = await this.storeMeasured({ claim, trigger }, answer, upstreamMs);
    if (!verdict.stored) return this.dropLatePair(claim, verdict);
    this.custody.stored(claim);
    const token = new AccessToken(
      answer.pair.accessToken.reveal(),
      claim.authorizationId,
      verdict.version,
      true,
      { botId: claim.botId, workspaceId: claim.workspaceId },
    );
    this.cache.put(token, answer.pair.expiresInMs ?? undefined);
    this.logger.debug('refreshed', { ...factsOf(claim), version: verdict.version });
    return { kind: 'renewed', version: verdict.version };
  }

  private async storeMeasured(
    { claim, trigger }: AnsweredClaim,
    answer: SuccessfulAnswer,
    upstreamMs: number,
  ): Promise<StoreVerdict> {
    const sinceMs = this.clock.monotonicMs();
    const late = { isCounted: false };
    const verdict = await this.storeUntilStored({ claim, trigger }, answer, upstreamMs, () => {
      // By then every caller has been told `busy`; that the pair is stored after all is no second attempt.
      const isLate = this.clock.monotonicMs() - sinceMs >= this.config.refresh.callerWaitMs;
      if (!isLate || late.isCounted) return;
      late.isCounted = true;
      this.meter.storeFailed(trigger);
    });
    if (late.isCounted) this.meter.storedAfterAll();
    else this.meter.ended('success', trigger);
    this.meter.took('store', this.clock.monotonicMs() - sinceMs);
    return verdict;
  }

  /**
   * From here on the only copy of the pair is ours: the write is repeated until it succeeds, or the application is
   * closed (rule R12).
   * @throws the last failure after the application is closed; the pair is in the journal, or logged as not saved.
   */
  private async storeUntilStored(
    { claim, trigger }: AnsweredClaim,
    answer: SuccessfulAnswer,
    upstreamMs: number,
    onFailure: () => void,
  ): Promise<StoreVerdict> {
    for (const waitMs of growingWaits(FIRST_RETRY_MS, LONGEST_RETRY_MS)) {
      try {
        return await this.storeOnce(claim, answer, upstreamMs);
      } catch (error) {
        this.failures.error('store failed', 'store failed, trying again', {
          stage: 'refresh',
          ...factsOf(claim),
          trigger,
          error: error instanceof Error ? error.name : 'unknown',
        });
        onFailure();
        await this.clock.sleep(waitMs, this.shutdown.closedSignal);
        if (this.shutdown.closedSignal.aborted) {
          this.shutdown.saveWhatIsLeft();
          throw error;
        }
      }
    }
    throw new Error('unreachable: the waits never end');
  }

  private async storeOnce(claim: Claim, answer: SuccessfulAnswer, upstreamMs: number): Promise<StoreVerdict> {
    const verdict = await this.store.storePair(claim, answer.pair, { outcome: 'success', upstreamMs });
    if (verdict.stored || verdict.status === 'not_found' || verdict.version >= claim.spentVersion)
      return verdict;
    // A failover took the row back behind the version that was spent: this pair is what it lost.
    const retained = retainedPair(claim, answer.pair);
    return (await this.rollForward.putBack(retained)) ? { stored: true, version: retained.version } : verdict;
  }

  /** A reconnect won, or the person disconnected: then the pair nobody will ever use is revoked (rule R19). */
  private async dropLatePair(
    claim: Claim,
    verdict: Extract<StoreVerdict, { stored: false }>,
  ): Promise<RefreshOutcome> {
    this.custody.dropped(claim);
    this.logger.log('late pair dropped', factsOf(claim));
    if (verdict.status !== 'not_found' && verdict.status !== 'revoked') {
      return { kind: 'followed', version: verdict.version };
    }
    await this.revocations.send(verdict.revocations);
    return { kind: 'revoked' };
  }
}

function factsOf({ authorizationId, botId, workspaceId, attemptId }: Claim): LogFacts {
  return { authorization: authorizationId, bot: botId, workspace: workspaceId, attempt: attemptId };
}
