import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  AuthorizationStore,
  type HeldBackRejection,
  type MassRevocationProbeTokens,
} from '../domain/authorization-store.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import type { Secret } from '../domain/secret.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { AuthorizationWatch } from './authorization.watch.js';
import { waitAtMost } from './bounded-wait.js';

const TEND_EVERY_MS = 30 * SECOND_MS;
/** Callers that wait for the breaker ask for it no more often. */
const TEND_AGAIN_MS = 2 * SECOND_MS;
const BATCH_SIZE = 50;
/** Neither a silent database nor a slow Notion holds a closing application for longer. */
const SHUTDOWN_TIMEOUT_MS = 5 * SECOND_MS;

/** `unknown`: introspection is unavailable, or says nothing about such tokens. */
type TokenVerdict = 'active' | 'inactive' | 'unknown';

/**
 * Closes the mass-revocation breaker of a fleet in which no other tenant happens to need a refresh: one process at a
 * time introspects a token of another tenant, which spends nothing. Introspects what was held back as well: marks it once
 * the breaker is closed, and lets it be refreshed again if the rejection was a mistake.
 */
@Injectable()
export class MassRevocationProbe implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new NotionLogger('NotionRefreshService');
  private timer: NodeJS.Timeout | undefined;
  private tending: Promise<void> | null = null;
  private hasEnded = false;
  private sinceTended: () => number;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly notion: NotionOAuth,
    private readonly watch: AuthorizationWatch,
    private readonly clock: Clock,
  ) {
    this.sinceTended = clock.stopwatch();
  }

  /** Not at once: a start must not ask for another connection of the database. */
  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.tend();
    }, TEND_EVERY_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    clearInterval(this.timer);
    if (this.tending !== null) await waitAtMost(this.tending, { timeoutMs: SHUTDOWN_TIMEOUT_MS });
  }

  /** For a caller whose refresh waits for the breaker: does now what the timer would do later. */
  tendSoon(): void {
    if (this.hasEnded || this.sinceTended() < TEND_AGAIN_MS) return;
    this.tend();
  }

  private tend(): void {
    this.sinceTended = this.clock.stopwatch();
    this.tending ??= this.tendOnce().finally(() => {
      this.tending = null;
    });
  }

  private async tendOnce(): Promise<void> {
    try {
      for (let isUnfinished = true; isUnfinished && !this.hasEnded;) {
        const { heldBack, probe } = await this.store.tendMassRevocation(BATCH_SIZE);
        const verdicts = await this.examine(heldBack);
        isUnfinished = probe === null && heldBack.length === BATCH_SIZE && !verdicts.includes('unknown');
        if (probe !== null && (await this.showsRecovery(probe, verdicts))) {
          await this.store.closeMassRevocation();
          this.logger.log('mass revocation breaker closed');
          isUnfinished = true;
        }
      }
    } catch {
      // The database is unavailable: the timer tries again.
    }
  }

  private async examine(heldBack: readonly HeldBackRejection[]): Promise<readonly TokenVerdict[]> {
    const verdicts: TokenVerdict[] = [];
    for (const held of heldBack) {
      if (this.hasEnded) break;
      const verdict = held.refreshToken === null ? 'inactive' : await this.introspect(held.refreshToken);
      verdicts.push(verdict);
      if (verdict === 'unknown') continue;
      const isMarked = await this.store.concludeRejection(held, verdict === 'active');
      if (isMarked) this.watch.statusChanged(held.authorizationId, 'needs_reconnect');
    }
    return verdicts;
  }

  /**
   * The token of another tenant is active, and introspection agrees that a rejected one is not. While it calls a
   * rejected token active, the two endpoints contradict each other, and only a refresh that succeeds tells more.
   */
  private async showsRecovery(
    { refreshToken, accessToken }: MassRevocationProbeTokens,
    rejected: readonly TokenVerdict[],
  ): Promise<boolean> {
    if (rejected.includes('active') || !rejected.includes('inactive')) return false;
    const verdict = await this.introspect(refreshToken);
    if (verdict !== 'unknown' || accessToken === null) return verdict === 'active';
    return (await this.introspect(accessToken)) === 'active';
  }

  private async introspect(token: Secret): Promise<TokenVerdict> {
    const { kind } = await this.notion.introspect(token);
    return kind === 'useless' ? 'unknown' : kind;
  }
}
