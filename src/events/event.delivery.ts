import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { EventOutbox, type ClaimedEvent } from '../domain/event-outbox.js';
import type { NotionEventName } from '../domain/notion-event.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { jittered } from '../refresh/backoff.js';
import { waitAtMost } from '../refresh/bounded-wait.js';
import { EventLanes } from './event.lanes.js';
import { EventListeners } from './event.listeners.js';

const FIRST_RETRY_MS = 10 * SECOND_MS;
const LONGEST_RETRY_MS = 30 * MINUTE_MS;
const SHUTDOWN_TIMEOUT_MS = 25 * SECOND_MS;

/** `left`: to another process, or to the next one, when the lease ends. */
type Told =
  { readonly kind: 'delivered' | 'unheard' | 'left' } | { readonly kind: 'failed'; readonly error: string };

/**
 * Brings events from the outbox to the listeners of this process. It claims only names that have a listener here and a
 * free place, so that what it claims is delivered at once; the rest is left to other processes.
 */
@Injectable()
export class EventDelivery implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger: QuietLogger;
  private readonly lanes = new EventLanes();
  private readonly closing = new AbortController();
  /** Names of which the last claim took as many as it could: there may be more. */
  private readonly backlogged = new Set<NotionEventName>();
  private looking: Promise<void> | null = null;
  private isAskedAgain = false;
  private hasEnded = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outbox: EventOutbox,
    private readonly listeners: EventListeners,
    private readonly watch: AuthorizationWatch,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'events'>,
    private readonly clock: Clock,
  ) {
    this.logger = new QuietLogger('NotionEvents', clock);
  }

  /** The timer holds no process open. */
  onApplicationBootstrap(): void {
    const look = () => {
      this.look();
    };
    this.watch.onNotice((noticed) => {
      if (!this.hasEnded) void this.outbox.raise(noticed).then(look);
    });
    // What this process changed itself is told at once.
    this.watch.onChange(look);
    this.timer = setInterval(look, this.config.events.lookEveryMs).unref();
    this.look();
  }

  /** A listener may end; one that has not by the time limit is left, and another process delivers after the lease. */
  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    clearInterval(this.timer);
    // A listener may wait for nothing that holds the process; the limit does.
    await Promise.race([this.idle(), this.clock.sleep(SHUTDOWN_TIMEOUT_MS, this.closing.signal)]);
    this.closing.abort();
  }

  private async idle(): Promise<void> {
    await this.looking;
    await this.lanes.idle();
  }

  private look(): void {
    if (this.looking !== null) this.isAskedAgain = true;
    if (this.looking !== null || this.hasEnded) return;
    const places = this.lanes.freePlaces(this.listeners.names());
    if (places.size === 0) return;
    this.isAskedAgain = false;
    this.looking = this.claim(places).finally(() => {
      this.looking = null;
      if (this.isAskedAgain) this.look();
    });
  }

  private async claim(limits: ReadonlyMap<NotionEventName, number>): Promise<void> {
    const { leaseMs, keepMs } = this.config.events;
    // From before the claim, so that it ends here before it ends for the others.
    const leaseEndsAtMs = this.clock.monotonicMs() + leaseMs;
    try {
      const claimed = await this.outbox.claimDue({ limits, leaseMs, keepMs });
      for (const [name, limit] of limits) {
        if (claimed.filter(({ event }) => event.name === name).length < limit) this.backlogged.delete(name);
        else this.backlogged.add(name);
      }
      for (const one of claimed) void this.start(one, leaseEndsAtMs);
    } catch {
      // The database does not respond: looked at again in a moment.
    }
  }

  private async start(claimed: ClaimedEvent, leaseEndsAtMs: number): Promise<void> {
    // Where the outbox cannot be written, the event is due again when its lease ends.
    await this.lanes.run(claimed.event, () => this.deliver(claimed, leaseEndsAtMs).catch(() => undefined));
    if (this.backlogged.has(claimed.event.name)) this.look();
  }

  private async deliver(claimed: ClaimedEvent, leaseEndsAtMs: number): Promise<void> {
    if (this.hasEnded) return this.outbox.postpone(claimed, 0);
    const told = await this.tell(claimed, leaseEndsAtMs - this.clock.monotonicMs());
    if (told.kind === 'delivered') await this.outbox.confirm(claimed);
    else if (told.kind === 'failed') await this.failed(claimed, told.error);
    // Its last listener has left the event emitter since the claim.
    else if (told.kind === 'unheard') await this.outbox.postpone(claimed, 0);
  }

  /** Within the lease, part of which may have passed while an earlier event of its authorization was delivered. */
  private async tell({ event }: ClaimedEvent, timeoutMs: number): Promise<Told> {
    if (timeoutMs <= 0) return { kind: 'left' };
    const { signal } = this.closing;
    try {
      const told = await waitAtMost(this.listeners.tell(event), { timeoutMs, signal });
      if (told === 'timed_out') return { kind: 'failed', error: told };
      return { kind: told ? 'delivered' : 'unheard' };
    } catch (error) {
      if (signal.aborted) return { kind: 'left' };
      return { kind: 'failed', error: error instanceof Error ? error.name : 'unknown' };
    }
  }

  private async failed(claimed: ClaimedEvent, error: string): Promise<void> {
    const { event, delivery } = claimed;
    const isOver = delivery >= this.config.events.maxDeliveries;
    const kind = `event ${isOver ? 'given up' : 'not delivered'} ${event.name} ${error}`;
    this.logger.error(kind, isOver ? 'event given up' : 'event not delivered', {
      kind: event.name,
      event: event.id,
      client: event.clientId,
      authorization: event.authorizationId,
      tries: delivery,
      error,
    });
    if (isOver) return this.outbox.confirm(claimed);
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** (delivery - 1), LONGEST_RETRY_MS);
    return this.outbox.postpone(claimed, jittered(waitMs));
  }
}
