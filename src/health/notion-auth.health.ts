import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { AttemptStatistics } from '../domain/attempt-statistics.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { refreshRate, type RefreshRate } from './refresh-rate.js';

const WINDOW_MS = 15 * MINUTE_MS;
/** However often it is polled, the database is asked once in this time. */
const CACHE_MS = 5 * SECOND_MS;
/** A health endpoint that hangs is no health endpoint. */
const ANSWER_WITHIN_MS = 200;

/**
 * Terminus indicators. Provide it in the module of your health controller; it needs `TerminusModule` there.
 * Bodies hold states and numbers only.
 */
@Injectable()
export class NotionAuthHealthIndicator {
  private lastRead: { readonly atMs: number; readonly rate: Promise<RefreshRate> } | null = null;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly attempts: AttemptStatistics,
    private readonly clock: Clock,
  ) {}

  /**
   * The refresh success rate of all processes over the last 15 minutes. Always `up` while the database answers: a
   * Notion outage lowers every replica's rate together, so it must never restart or unroute them.
   */
  async check<Key extends string>(key: Key): Promise<HealthIndicatorResult<Key>> {
    const indicator = this.indicators.check(key);
    const rate = await this.currentRate();
    if (rate === null) return indicator.down({ state: 'unavailable' });
    return indicator.up({ ...rate, windowSeconds: WINDOW_MS / SECOND_MS, scope: 'fleet' });
  }

  /** For readiness: whether the database answers. Never asks Notion. */
  async ready<Key extends string>(key: Key): Promise<HealthIndicatorResult<Key>> {
    const indicator = this.indicators.check(key);
    return (await this.currentRate()) === null
      ? indicator.down({ database: 'down' })
      : indicator.up({ database: 'up' });
  }

  /** `null` when the database does not answer in time. */
  private async currentRate(): Promise<RefreshRate | null> {
    const nowMs = this.clock.monotonicMs();
    if (this.lastRead === null || nowMs - this.lastRead.atMs >= CACHE_MS) {
      const rate = this.attempts.countOutcomes(WINDOW_MS).then(refreshRate);
      rate.catch(() => undefined);
      this.lastRead = { atMs: nowMs, rate };
    }
    const late = this.clock.sleep(ANSWER_WITHIN_MS).then(() => null);
    return Promise.race([this.lastRead.rate, late]).catch(() => null);
  }
}
