import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { FleetReadings, type AuthorizationCount, type FleetReading } from '../domain/fleet-readings.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { CachedReading } from '../health/cached-reading.js';
import { refreshRate, type RefreshRate, type RefreshRateState } from '../health/refresh-rate.js';
import { byMinute, seenState } from '../health/seen-state.js';
import { ReplicaHealth } from '../refresh/replica.health.js';

const WINDOW_MINUTES = 15;
const KNOWN_FOR_MS = 30 * SECOND_MS;
const WAIT_AT_MOST_MS = 100;

export interface Overview {
  /** What the numbers say at this moment; health tells a change when it has lasted. */
  readonly state: RefreshRateState;
  readonly rate: RefreshRate;
  readonly windowMs: number;
  /** `replica` while the database does not answer: the rate is this process's own then. */
  readonly scope: 'fleet' | 'replica';
  readonly lostGrants: number;
  /** `null` while the database does not answer. */
  readonly closedGates: readonly RefreshGate[] | null;
  readonly counts: readonly AuthorizationCount[] | null;
  readonly pendingPairs: number;
  readonly oldestPendingPairMs: number;
}

/** How the fleet is, at a glance. However many look, the database is asked once in five seconds. */
@Injectable()
export class FleetOverview {
  private readonly fleet: CachedReading<FleetReading>;
  private readonly counts: CachedReading<readonly AuthorizationCount[]>;

  private readonly minuteMs: number;

  constructor(
    readings: FleetReadings,
    private readonly replica: ReplicaHealth,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) { health: { minuteMs } }: Pick<NotionAuthConfig, 'health'>,
  ) {
    this.minuteMs = minuteMs;
    const nowMs = () => clock.monotonicMs();
    this.fleet = new CachedReading(() => readings.read(WINDOW_MINUTES * minuteMs, minuteMs), nowMs);
    this.counts = new CachedReading(() => readings.countAuthorizations(), nowMs);
  }

  async read(): Promise<Overview> {
    const readings = Promise.all([this.fleet.refresh(), this.counts.refresh()]);
    await Promise.race([readings, this.clock.sleep(WAIT_AT_MOST_MS)]);
    const known = this.fleet.notOlderThan(KNOWN_FOR_MS);
    const attempts = byMinute(known?.attempts ?? this.replica.attempts, this.minuteMs);
    const { pendingPairs, oldestPendingPairMs } = this.replica;
    const closedGates = known?.closedGates ?? null;
    const sight = { attempts, closedGates, oldestPendingPairMs, minuteMs: this.minuteMs };
    return {
      state: seenState(sight, 'insufficient_data'),
      rate: refreshRate(attempts),
      windowMs: WINDOW_MINUTES * this.minuteMs,
      scope: known === null ? 'replica' : 'fleet',
      lostGrants: attempts.reduce((sum, { outcome, total }) => (outcome === 'lost' ? sum + total : sum), 0),
      closedGates,
      counts: this.counts.notOlderThan(KNOWN_FOR_MS),
      pendingPairs,
      oldestPendingPairMs,
    };
  }
}
