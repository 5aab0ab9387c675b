import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS } from '../domain/duration.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { RevocationOutbox, type PendingRevocation } from '../domain/revocation-outbox.js';
import { jittered } from './backoff.js';
import { waitAtMost } from './bounded-wait.js';
import { RefreshShutdown } from './refresh.shutdown.js';
import type { LogFacts } from '../logging/log-line.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { QuietLogger } from '../logging/quiet.logger.js';

const BATCH_SIZE = 10;
const LONGEST_RETRY_MS = 30 * MINUTE_MS;

/**
 * - `revoked`: Notion confirmed that the tokens are dead.
 * - `revoke_pending`: not yet; Notion is asked again, in the background.
 * - `local_only`: nobody will ask Notion (any more). The person can remove the connection in Notion.
 */
export type RevocationOutcome = 'revoked' | 'revoke_pending' | 'local_only';

/**
 * Brings what the outbox holds to Notion: at once where it came about, and again, later, by a timer of every process
 * that runs the module. Where several see the same one due, one of them claims it.
 */
@Injectable()
export class RevocationSender implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new NotionLogger('NotionRevocation');
  private readonly failures: QuietLogger;
  private readonly underWay = new Set<Promise<unknown>>();
  /** Disconnects whose revocations are on their way to Notion. */
  private asking = 0;
  private looking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outbox: RevocationOutbox,
    private readonly notion: NotionOAuth,
    private readonly shutdown: RefreshShutdown,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    clock: Clock,
  ) {
    this.failures = new QuietLogger('NotionRevocation', clock);
  }

  /** What an earlier process left is sent now, and nobody waits for it; the timer holds no process open. */
  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.look();
    }, this.config.revocation.lookEveryMs).unref();
    this.look();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    // What is not settled by then is claimed by another process, or the next one, when its lease is over.
    await waitAtMost(Promise.allSettled(this.underWay), { timeoutMs: this.config.revocation.waitMs });
  }

  /**
   * Asks Notion once for each, and waits `revocation.waitMs` at most; what is under way then goes on. Never rejects:
   * what is not confirmed, or is too much at once, stays in the outbox.
   */
  async send(claimed: readonly PendingRevocation[]): Promise<RevocationOutcome> {
    if (claimed.length === 0) return 'local_only';
    if (this.asking >= this.config.revocation.maxConcurrent) return 'revoke_pending';
    const sent = this.keepTrack(this.ask(claimed));
    const outcomes = await waitAtMost(sent, { timeoutMs: this.config.revocation.waitMs });
    if (outcomes === 'timed_out' || outcomes.includes('revoke_pending')) return 'revoke_pending';
    return outcomes.every((outcome) => outcome === 'revoked') ? 'revoked' : 'local_only';
  }

  private async ask(claimed: readonly PendingRevocation[]): Promise<readonly RevocationOutcome[]> {
    this.asking += 1;
    try {
      return await Promise.all(claimed.map((one) => this.sendOne(one)));
    } finally {
      this.asking -= 1;
    }
  }

  private look(): void {
    if (this.looking !== null || this.shutdown.hasBegun) return;
    this.looking = this.keepTrack(this.sendDue()).finally(() => {
      this.looking = null;
    });
  }

  private async sendDue(): Promise<void> {
    try {
      for (let more = true; more && !this.shutdown.hasBegun;) {
        const { claimed, givenUp } = await this.outbox.claimDue(BATCH_SIZE, this.config.revocation);
        for (const authorizationId of givenUp) this.logGivenUp(authorizationId);
        await Promise.all(claimed.map((one) => this.sendOne(one)));
        more = claimed.length + givenUp.length === BATCH_SIZE;
      }
    } catch {
      // The database does not answer: looked at again in a moment.
    }
  }

  private async sendOne(revocation: PendingRevocation): Promise<RevocationOutcome> {
    const claim = { isOurs: true };
    const isConfirmed = await this.notion.revoke(revocation.token, async () => {
      claim.isOurs = await this.outbox.renewClaim(revocation);
      return claim.isOurs;
    });
    // Connected again since it was claimed, or claimed by another process: this one has nothing left to settle.
    if (!claim.isOurs) return 'local_only';
    const outcome = isConfirmed ? 'revoked' : this.outcomeOfFailure(revocation);
    try {
      await this.write(revocation, outcome);
    } catch (error) {
      // The claim ends by itself; then Notion is asked again, which does no harm.
      const name = error instanceof Error ? error.name : 'unknown';
      const facts = { ...factsOf(revocation), error: name };
      this.failures.error(`revocation not settled ${name}`, 'revocation not settled', facts);
      return isConfirmed ? 'revoked' : 'revoke_pending';
    }
    if (outcome === 'local_only') this.logGivenUp(revocation.authorizationId);
    else this.logger.log('revocation', { outcome, ...factsOf(revocation) });
    return outcome;
  }

  private outcomeOfFailure(revocation: PendingRevocation): 'revoke_pending' | 'local_only' {
    const { maxAttempts, maxAgeMs } = this.config.revocation;
    const isOver = revocation.attempt >= maxAttempts || revocation.ageMs >= maxAgeMs;
    return isOver ? 'local_only' : 'revoke_pending';
  }

  private write(revocation: PendingRevocation, outcome: RevocationOutcome): Promise<void> {
    if (outcome !== 'revoke_pending') return this.outbox.remove(revocation.id);
    const waitMs = this.config.revocation.firstRetryMs * 2 ** (revocation.attempt - 1);
    return this.outbox.postpone(revocation, jittered(Math.min(waitMs, LONGEST_RETRY_MS)));
  }

  private logGivenUp(authorizationId: string): void {
    // Notion never confirmed; the person can remove the connection there.
    this.logger.warn('revocation', {
      stage: 'revoke',
      outcome: 'local_only',
      authorization: authorizationId,
    });
  }

  private keepTrack<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    return work.finally(() => this.underWay.delete(work));
  }
}

function factsOf({ authorizationId, attempt }: PendingRevocation): LogFacts {
  return { stage: 'revoke', authorization: authorizationId, tries: attempt };
}
