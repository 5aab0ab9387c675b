import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { MINUTE_MS } from '../domain/duration.js';
import { EventOutbox } from '../domain/event-outbox.js';
import { WebhookDeliveries } from '../domain/webhook-deliveries.js';

const PRUNE_EVERY_MS = 10 * MINUTE_MS;

/** Keeps the outbox and the table of known webhook events bounded, in every process, whatever it listens to. */
@Injectable()
export class ExpiredRowsPruner implements OnApplicationBootstrap, OnModuleDestroy {
  private timers: readonly NodeJS.Timeout[] = [];
  private pruning: Promise<void> | null = null;
  private hasEnded = false;

  constructor(
    private readonly outbox: EventOutbox,
    private readonly deliveries: WebhookDeliveries,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'events' | 'webhooks'>,
  ) {}

  /** Also soon after the start, because a process may not live for an interval. The timers hold no process open. */
  onApplicationBootstrap(): void {
    const prune = () => {
      this.pruning ??= this.prune().finally(() => (this.pruning = null));
    };
    // Replicas that start together do not prune in step.
    const soonMs = Math.random() * this.config.events.lookEveryMs;
    this.timers = [setTimeout(prune, soonMs), setInterval(prune, PRUNE_EVERY_MS)];
    for (const timer of this.timers) timer.unref();
  }

  /** Waits for the batch that is under way. */
  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    for (const timer of this.timers) clearTimeout(timer);
    await this.pruning;
  }

  private async prune(): Promise<void> {
    await this.inBatches(() => this.outbox.prune(this.config.events.keepMs));
    await this.inBatches(() => this.deliveries.prune(this.config.webhooks));
  }

  private async inBatches(removeSome: () => Promise<boolean>): Promise<void> {
    try {
      while (!this.hasEnded && (await removeSome()));
    } catch {
      // The database does not respond: pruned by the next interval, or by another process.
    }
  }
}
