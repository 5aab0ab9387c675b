import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { AuthorizationStore, type MassRevocationProbeTokens } from '../domain/authorization-store.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import type { Secret } from '../domain/secret.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { AuthorizationWatch } from './authorization.watch.js';
import { waitAtMost } from './bounded-wait.js';

const TEND_EVERY_MS = 30 * SECOND_MS;
const BATCH_SIZE = 50;
/** Neither a silent database nor a slow Notion holds a closing application for longer. */
const SHUTDOWN_TIMEOUT_MS = 5 * SECOND_MS;

/**
 * Closes the mass-revocation breaker of a fleet in which no other tenant happens to need a refresh: one process at a
 * time introspects a token of another tenant, which spends nothing. Marks what was held back once the breaker is closed.
 */
@Injectable()
export class MassRevocationProbe implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new NotionLogger('NotionRefreshService');
  private timer: NodeJS.Timeout | undefined;
  private tending: Promise<void> | null = null;
  private hasEnded = false;

  constructor(
    private readonly store: AuthorizationStore,
    private readonly notion: NotionOAuth,
    private readonly watch: AuthorizationWatch,
  ) {}

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

  private tend(): void {
    this.tending ??= this.tendOnce().finally(() => {
      this.tending = null;
    });
  }

  private async tendOnce(): Promise<void> {
    try {
      for (let hasMore = true; hasMore && !this.hasEnded;) {
        const tended = await this.store.tendMassRevocation(BATCH_SIZE);
        for (const id of tended.marked) this.watch.statusChanged(id, 'needs_reconnect');
        hasMore = tended.hasMore;
        if (tended.probe !== null && (await this.showsRecovery(tended.probe))) {
          await this.store.closeMassRevocation();
          this.logger.log('mass revocation breaker closed');
          hasMore = true;
        }
      }
    } catch {
      // The database is unavailable: the timer tries again.
    }
  }

  /** The token of another tenant is active, and introspection does not call the rejected one active. */
  private async showsRecovery(tokens: MassRevocationProbeTokens): Promise<boolean> {
    const { refreshToken, accessToken, rejectedRefreshToken } = tokens;
    if (!(await this.isActive(refreshToken, accessToken))) return false;
    if (rejectedRefreshToken === null) return true;
    // No verdict about a rejected token is no contradiction: Notion may answer an error instead of `active: false`.
    return (await this.notion.introspect(rejectedRefreshToken)).kind !== 'active';
  }

  /** @param accessToken - asked about where the endpoint says nothing about refresh tokens */
  private async isActive(refreshToken: Secret, accessToken: Secret | null): Promise<boolean> {
    const response = await this.notion.introspect(refreshToken);
    if (response.kind !== 'useless' || accessToken === null) return response.kind === 'active';
    return (await this.notion.introspect(accessToken)).kind === 'active';
  }
}
