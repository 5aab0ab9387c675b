import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { FleetReadings, type AuthorizationCount, type FleetReading } from '../domain/fleet-readings.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { CachedReading } from '../health/cached-reading.js';
import { judgeRate, refreshRate, type RefreshRate, type RefreshRateState } from '../health/refresh-rate.js';
import { ReplicaHealth } from '../refresh/replica.health.js';

const WINDOW_MS = 15 * MINUTE_MS;
const KNOWN_FOR_MS = 30 * SECOND_MS;
const WAIT_AT_MOST_MS = 100;
/** As the health indicator has it: a pair that only this process has for longer is at risk. */
const PENDING_AT_RISK_MS = 30 * SECOND_MS;

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

  constructor(
    readings: FleetReadings,
    private readonly replica: ReplicaHealth,
    private readonly clock: Clock,
  ) {
    const nowMs = () => clock.monotonicMs();
    this.fleet = new CachedReading(() => readings.read(WINDOW_MS), nowMs);
    this.counts = new CachedReading(() => readings.countAuthorizations(), nowMs);
  }

  async read(): Promise<Overview> {
    const readings = Promise.all([this.fleet.refresh(), this.counts.refresh()]);
    await Promise.race([readings, this.clock.sleep(WAIT_AT_MOST_MS)]);
    const known = this.fleet.notOlderThan(KNOWN_FOR_MS);
    const attempts = known?.attempts ?? this.replica.attempts;
    return {
      state: this.stateOf(known),
      rate: refreshRate(attempts),
      windowMs: WINDOW_MS,
      scope: known === null ? 'replica' : 'fleet',
      lostGrants: attempts.reduce((sum, { outcome, total }) => (outcome === 'lost' ? sum + total : sum), 0),
      closedGates: known?.closedGates ?? null,
      counts: this.counts.notOlderThan(KNOWN_FOR_MS),
      pendingPairs: this.replica.pendingPairs,
      oldestPendingPairMs: this.replica.oldestPendingPairMs,
    };
  }

  private stateOf(known: FleetReading | null): RefreshRateState {
    const isAtRisk = this.replica.oldestPendingPairMs > PENDING_AT_RISK_MS;
    if (isAtRisk || known?.closedGates.includes('configuration') === true) return 'critical';
    return judgeRate(known?.attempts ?? this.replica.attempts, 'insufficient_data');
  }
}
