import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { EventOutbox, type ClaimedEvent } from '../domain/event-outbox.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { jittered } from '../refresh/backoff.js';
import { waitAtMost } from '../refresh/bounded-wait.js';
import { EventListeners } from './event.listeners.js';

const BATCH_SIZE = 20;
const FIRST_RETRY_MS = 10 * SECOND_MS;
const LONGEST_RETRY_MS = 30 * MINUTE_MS;
const PRUNE_EVERY_MS = 10 * MINUTE_MS;

/** Brings events from the outbox to the listeners of this process. A process without any leaves them to others. */
@Injectable()
export class EventDelivery implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger: QuietLogger;
  private looking: Promise<void> | null = null;
  private isAskedAgain = false;
  private hasEnded = false;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly outbox: EventOutbox,
    private readonly listeners: EventListeners,
    private readonly watch: AuthorizationWatch,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'events'>,
    clock: Clock,
  ) {
    this.logger = new QuietLogger('NotionEvents', clock);
  }

  /** The timers hold no process open. */
  onApplicationBootstrap(): void {
    this.watch.onNotice((noticed) => {
      void this.outbox.raise(noticed).then(() => {
        this.look();
      });
    });
    if (!this.listeners.areAny) return;
    const look = () => {
      this.look();
    };
    const prune = () => void this.outbox.prune(this.config.events.keepMs).catch(() => undefined);
    this.timers = [setInterval(look, this.config.events.lookEveryMs), setInterval(prune, PRUNE_EVERY_MS)];
    for (const timer of this.timers) timer.unref();
    // What this process changed itself is told at once.
    this.watch.onChange(look);
    this.look();
  }

  /** What is being told is told; the rest is claimed by another process, or the next one. */
  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    for (const timer of this.timers) clearInterval(timer);
    if (this.looking !== null) await waitAtMost(this.looking, { timeoutMs: this.config.events.leaseMs });
  }

  private look(): void {
    if (this.hasEnded || !this.listeners.areAny) return;
    if (this.looking !== null) {
      this.isAskedAgain = true;
      return;
    }
    this.isAskedAgain = false;
    this.looking = this.deliverDue().finally(() => {
      this.looking = null;
      if (this.isAskedAgain) this.look();
    });
  }

  private async deliverDue(): Promise<void> {
    try {
      for (let more = true; more && !this.isOver();) {
        const claimed = await this.outbox.claimDue(BATCH_SIZE, this.config.events.leaseMs);
        for (const one of claimed) {
          if (this.isOver()) return;
          await this.deliver(one);
        }
        more = claimed.length === BATCH_SIZE;
      }
    } catch {
      // The database does not answer: looked at again in a moment.
    }
  }

  /** Changes while something else is awaited. */
  private isOver(): boolean {
    return this.hasEnded;
  }

  private async deliver(claimed: ClaimedEvent): Promise<void> {
    try {
      await this.listeners.tell(claimed.event);
    } catch (error) {
      await this.failed(claimed, error);
      return;
    }
    await this.outbox.confirm(claimed);
  }

  private async failed(claimed: ClaimedEvent, error: unknown): Promise<void> {
    const { event, delivery } = claimed;
    const isOver = delivery >= this.config.events.maxDeliveries;
    const name = error instanceof Error ? error.name : 'unknown';
    const kind = `event ${isOver ? 'given up' : 'not delivered'} ${event.name} ${name}`;
    this.logger.error(kind, isOver ? 'event given up' : 'event not delivered', {
      kind: event.name,
      event: event.id,
      authorization: event.authorizationId,
      tries: delivery,
      error: name,
    });
    if (isOver) return this.outbox.confirm(claimed);
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** (delivery - 1), LONGEST_RETRY_MS);
    return this.outbox.postpone(claimed, jittered(waitMs));
  }
}
