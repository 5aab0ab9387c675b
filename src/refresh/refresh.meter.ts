import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { HistogramLabels } from '../domain/instruments.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import type { AttemptOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { OwnAttempts } from './own-attempts.js';
import type { SweptAs } from './sweep-report.js';

type Phase = HistogramLabels<'notion_auth_refresh_duration_seconds'>['phase'];

/** What refreshing tells health and the metrics, in one place. */
@Injectable()
export class RefreshMeter {
  constructor(
    private readonly ownAttempts: OwnAttempts,
    private readonly metrics: NotionMetrics,
    private readonly clock: Clock,
  ) {}

  /** Each attempt is counted once; one that was counted as `storeFailed` is not counted again when it is stored. */
  ended(outcome: AttemptOutcome, trigger: RefreshTrigger): void {
    this.ownAttempts.note(outcome);
    this.metrics.count('notion_auth_refresh_attempts_total', { outcome, trigger });
  }

  /** A rotation was lost on the way, and now only the person can help. */
  grantLost(): void {
    this.metrics.count('notion_auth_grants_lost_total', {});
  }

  /** Whoever waits for this pair has given up, and it is still not in the database. */
  storeFailed(trigger: RefreshTrigger): void {
    this.metrics.count('notion_auth_refresh_attempts_total', { outcome: 'store_failed', trigger });
  }

  /** As {@link RefreshMeter.ended} of a success that came too late for whoever waited. */
  storedAfterAll(): void {
    this.ownAttempts.note('success');
  }

  /** One authorization that a sweep took up. */
  swept(result: SweptAs): void {
    this.metrics.count('notion_auth_swept_total', { result });
  }

  took(phase: Phase, durationMs: number): void {
    this.metrics.observe('notion_auth_refresh_duration_seconds', { phase }, durationMs);
  }

  /** Measures how long a caller waits. */
  async waitedFor<T>(wait: Promise<T>): Promise<T> {
    const sinceMs = this.clock.monotonicMs();
    try {
      return await wait;
    } finally {
      this.metrics.observe('notion_auth_refresh_wait_seconds', {}, this.clock.monotonicMs() - sinceMs);
    }
  }

  /** The database went back in time behind what this process knows. */
  foundBehind(): void {
    this.metrics.count('notion_auth_version_regressions_total', {});
  }

  putBack(): void {
    this.metrics.count('notion_auth_repairs_total', {});
  }
}
