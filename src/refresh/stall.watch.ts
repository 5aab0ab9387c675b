import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { NotionRefreshService } from './notion-refresh.service.js';

const LOOK_EVERY_MS = SECOND_MS / 2;
const LATE_MS = SECOND_MS;

/** Notices an event loop that stood still while a refresh was under way: leases and time limits suffer from it. */
@Injectable()
export class StallWatch implements OnModuleInit, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly refreshes: NotionRefreshService,
    private readonly metrics: NotionMetrics,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    let lookedAtMs = this.clock.monotonicMs();
    let wasRefreshing = false;
    this.timer = setInterval(() => {
      const nowMs = this.clock.monotonicMs();
      const isLate = nowMs - lookedAtMs > LOOK_EVERY_MS + LATE_MS;
      const isRefreshing = this.refreshes.inFlight > 0;
      if (isLate && (wasRefreshing || isRefreshing)) this.metrics.count('notion_auth_stalls_total', {});
      lookedAtMs = nowMs;
      wasRefreshing = isRefreshing;
    }, LOOK_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }
}
