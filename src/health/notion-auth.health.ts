import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { FleetReadings, type FleetReading } from '../domain/fleet-readings.js';
import { REFRESH_GATES, type RefreshGate } from '../domain/refresh-gate.js';
import { ReplicaHealth } from '../refresh/replica.health.js';
import { CachedReading } from './cached-reading.js';
import { refreshRate } from './refresh-rate.js';
import { byMinute, seenState } from './seen-state.js';
import { SteadyState } from './steady-state.js';

const WINDOW_MINUTES = 15;
/** A health endpoint that hangs is no health endpoint. */
const WAIT_AT_MOST_MS = 150;
/** Older than this, what all processes share is not known any more. */
const FLEET_KNOWN_FOR_MINUTES = 0.25;
const READ_EVERY_MINUTES = 1 / 12;
const UNREACHABLE_AFTER_MINUTES = 0.25;
const SETTLED_AFTER_MINUTES = 0.5;

export interface RefreshHealthOptions {
  /**
   * - `report`: always `up`; the state is in the details.
   * - `enforce`: `down` while the state is `critical`. For dashboards and monitors, never for liveness or readiness: a
   *   Notion that is down is critical for every replica at once.
   * @defaultValue `'report'`
   */
  readonly mode?: 'report' | 'enforce';
}

export interface ReadinessOptions {
  /** `ignore` for an application that is of use without the database. @defaultValue `'require'` */
  readonly database?: 'require' | 'ignore';
}

/**
 * Terminus indicators. Provide it in the module of your health controller; it needs `TerminusModule` there.
 * Bodies hold states and numbers only. However often they are polled, the database is asked once in five seconds, and
 * no answer waits for it longer than a fraction of a second. Notion is never asked.
 */
@Injectable()
export class NotionAuthHealthIndicator {
  private readonly state: SteadyState;
  private readonly fleet: CachedReading<FleetReading>;
  private readonly minuteMs: number;

  constructor(
    private readonly indicators: HealthIndicatorService,
    readings: FleetReadings,
    private readonly replica: ReplicaHealth,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) { health: { minuteMs } }: Pick<NotionAuthConfig, 'health'>,
  ) {
    this.minuteMs = minuteMs;
    this.state = new SteadyState(SETTLED_AFTER_MINUTES * minuteMs);
    this.fleet = new CachedReading(
      () => readings.read(WINDOW_MINUTES * minuteMs, minuteMs),
      () => clock.monotonicMs(),
      { everyMs: READ_EVERY_MINUTES * minuteMs, unreachableAfterMs: UNREACHABLE_AFTER_MINUTES * minuteMs },
    );
  }

  /**
   * How refreshing goes, over all processes and the last 15 minutes; `scope` is `replica`, and the numbers are this
   * process's own, while the database does not answer.
   */
  async check<Key extends string>(
    key: Key,
    { mode = 'report' }: RefreshHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    await this.read();
    const known = this.fleet.notOlderThan(FLEET_KNOWN_FOR_MINUTES * this.minuteMs);
    const attempts = byMinute(known?.attempts ?? this.replica.attempts, this.minuteMs);
    const sight = {
      attempts,
      closedGates: known?.closedGates ?? null,
      oldestPendingPairMs: this.replica.oldestPendingPairMs,
      minuteMs: this.minuteMs,
    };
    const details = {
      state: this.state.see(seenState(sight, this.state.current), this.clock.monotonicMs()),
      ...refreshRate(attempts),
      windowSeconds: (WINDOW_MINUTES * this.minuteMs) / SECOND_MS,
      scope: known === null ? 'replica' : 'fleet',
      lostGrants: attempts.reduce((sum, { outcome, total }) => (outcome === 'lost' ? sum + total : sum), 0),
      pendingPairs: this.replica.pendingPairs,
      pendingPairAgeSeconds: Math.floor(this.replica.oldestPendingPairMs / SECOND_MS),
      breakers: breakersOf(known),
    };
    const indicator = this.indicators.check(key);
    return mode === 'enforce' && details.state === 'critical'
      ? indicator.down(details)
      : indicator.up(details);
  }

  /**
   * For readiness: `down` at once when the process drains or lacks a key that stored tokens need, and when the
   * database has not answered three times and for 15 seconds.
   */
  async ready<Key extends string>(
    key: Key,
    { database = 'require' }: ReadinessOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    await this.read();
    const details = {
      process: this.replica.isDraining ? 'draining' : 'serving',
      database: this.fleet.isUnreachable ? 'down' : 'up',
      keys: this.keyState(),
    };
    const isReady =
      details.process === 'serving' &&
      details.keys !== 'unknown_key_id' &&
      (details.database === 'up' || database === 'ignore');
    const indicator = this.indicators.check(key);
    return isReady ? indicator.up(details) : indicator.down(details);
  }

  private async read(): Promise<void> {
    await Promise.race([this.fleet.refresh(), this.clock.sleep(WAIT_AT_MOST_MS)]);
  }

  /** A ring does not shrink while the process lives, so the last word on it stands while the database is away. */
  private keyState(): 'complete' | 'unknown_key_id' | 'not_known' {
    const known = this.fleet.notOlderThan(Number.POSITIVE_INFINITY);
    if (known === null) return 'not_known';
    return known.missingKeyIds.length === 0 ? 'complete' : 'unknown_key_id';
  }
}

type BreakerState = 'open' | 'closed' | 'not_known';

/** In the language of breakers: an open one lets no refresh through. */
function breakersOf(known: FleetReading | null): Record<RefreshGate, BreakerState> {
  const stateOf = (gate: RefreshGate): BreakerState => {
    if (known === null) return 'not_known';
    return known.closedGates.includes(gate) ? 'open' : 'closed';
  };
  return Object.fromEntries(REFRESH_GATES.map((gate) => [gate, stateOf(gate)])) as Record<
    RefreshGate,
    BreakerState
  >;
}
