import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptStatistics } from '../domain/attempt-statistics.js';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { EventOutbox } from '../domain/event-outbox.js';
import { WebhookDeliveries } from '../domain/webhook-deliveries.js';
import { waitAtMost } from '../refresh/bounded-wait.js';

/** What is kept for hours or days: not pruned at each poll. */
const PRUNE_EVERY_MS = MINUTE_MS;
/** Longer than any page or alert looks back. */
const KEEP_ATTEMPTS_MS = 30 * DAY_MS;
/** A silent database does not hold a closing application for longer. */
const SHUTDOWN_TIMEOUT_MS = 5 * SECOND_MS;

/**
 * Keeps every table bounded that grows with what happens: events, webhook deliveries and attempts. In
 * every process, also in one without listeners or sweeps; in batches, beside the work and never part of it.
 */
@Injectable()
export class ExpiredRowsPruner implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private hasEnded = false;

  constructor(
    private readonly outbox: EventOutbox,
    private readonly deliveries: WebhookDeliveries,
    private readonly attempts: AttemptStatistics,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'events' | 'webhooks'>,
  ) {}

  onApplicationBootstrap(): void {
    const { events, webhooks } = this.config;
    this.repeat(events.lookEveryMs, () => this.outbox.prune(events.keepMs));
    this.repeat(PRUNE_EVERY_MS, () => this.deliveries.prune(webhooks));
    this.repeat(PRUNE_EVERY_MS, () => this.attempts.prune(KEEP_ATTEMPTS_MS));
  }

  /** Waits for the batches that are under way. */
  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    for (const timer of this.timers) clearTimeout(timer);
    await waitAtMost(Promise.all(this.underWay), { timeoutMs: SHUTDOWN_TIMEOUT_MS });
  }

  /** Also soon after the start, because a process may not live for an interval. The timers hold no process open. */
  private repeat(everyMs: number, removeSome: () => Promise<boolean>): void {
    let pruning: Promise<void> | null = null;
    const prune = () => {
      if (pruning !== null) return;
      const begun = this.removeAll(removeSome).finally(() => {
        pruning = null;
        this.underWay.delete(begun);
      });
      pruning = begun;
      this.underWay.add(begun);
    };
    // Replicas that start together do not prune in step.
    const soonMs = Math.random() * Math.min(everyMs, this.config.events.lookEveryMs);
    this.timers.push(setTimeout(prune, soonMs).unref(), setInterval(prune, everyMs).unref());
  }

  private async removeAll(removeSome: () => Promise<boolean>): Promise<void> {
    try {
      while (!this.hasEnded && (await removeSome()));
    } catch {
      // The database does not respond: pruned by the next interval, or by another process.
    }
  }
}
