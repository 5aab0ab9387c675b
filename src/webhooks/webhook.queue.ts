import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { setTimeout as sleep } from 'node:timers/promises';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionWebhookRefusedError } from '../domain/errors.js';

export interface QueuePlace {
  /** @param run - never rejects. */
  use(run: () => Promise<void>): void;
  leave(): void;
}

/** Work that goes on after its delivery was answered: so much at once, so much waiting, and awaited at the end. */
@Injectable()
export class WebhookQueue implements OnModuleDestroy {
  private readonly limit: LimitFunction;
  private readonly work = new Set<Promise<void>>();
  private reserved = 0;
  private hasEnded = false;

  constructor(@Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'webhooks'>) {
    this.limit = pLimit(config.webhooks.maxConcurrent);
  }

  /**
   * A place for one piece of work, to be used or left.
   * @throws {@link NotionWebhookRefusedError} (`queue_full`) when there is none, or the process is ending.
   */
  reserve(): QueuePlace {
    const { maxConcurrent, maxQueued } = this.config.webhooks;
    if (this.hasEnded || this.work.size + this.reserved >= maxConcurrent + maxQueued) {
      throw new NotionWebhookRefusedError('queue_full');
    }
    this.reserved += 1;
    return {
      use: (run) => {
        this.reserved -= 1;
        this.add(run);
      },
      leave: () => {
        this.reserved -= 1;
      },
    };
  }

  private add(run: () => Promise<void>): void {
    const done = this.limit(run).finally(() => {
      this.work.delete(done);
    });
    this.work.add(done);
  }

  /** Comes before the connections that handlers use are closed. */
  async onModuleDestroy(): Promise<void> {
    this.hasEnded = true;
    const deadline = new AbortController();
    const late = sleep(this.config.webhooks.drainMs, undefined, { signal: deadline.signal }).catch(
      () => undefined,
    );
    await Promise.race([Promise.all(this.work), late]);
    deadline.abort();
    // By now the time is over: what has not begun does not begin in a closed application.
    this.limit.clearQueue();
  }
}
