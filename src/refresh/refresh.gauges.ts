import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RECONNECT_REASONS } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS, SECOND_MS } from '../domain/duration.js';
import { FleetReadings, type AuthorizationCount } from '../domain/fleet-readings.js';
import { NotionMetrics, type GaugeValue } from '../domain/notion-metrics.js';
import { PairJournal } from '../domain/pair-journal.js';
import { REFRESH_GATES, type RefreshGate } from '../domain/refresh-gate.js';
import { KeptReading } from './kept-reading.js';
import { NotionRefreshService } from './notion-refresh.service.js';
import { PairCustody } from './pair.custody.js';

/** However often it is scraped. Counting the authorizations reads an index from end to end. */
const GATES_EVERY_MS = 5 * SECOND_MS;
const COUNTS_EVERY_MS = MINUTE_MS;

/** Every status with each of its reasons, so that a series that falls to nothing says 0. */
const STANDINGS = [
  { status: 'active', reason: 'none' },
  { status: 'revoked', reason: 'none' },
  ...RECONNECT_REASONS.map((reason) => ({ status: 'needs_reconnect', reason })),
] as const;

/** What the gauges show: of this process at once, of all processes from a reading that is kept for a while. */
@Injectable()
export class RefreshGauges implements OnModuleInit {
  private readonly gates: KeptReading<readonly RefreshGate[]>;
  private readonly counts: KeptReading<readonly AuthorizationCount[]>;

  constructor(
    private readonly metrics: NotionMetrics,
    private readonly refreshes: NotionRefreshService,
    private readonly custody: PairCustody,
    private readonly journal: PairJournal,
    readings: FleetReadings,
    clock: Clock,
  ) {
    this.gates = new KeptReading(() => readings.closedGates(), clock, GATES_EVERY_MS);
    this.counts = new KeptReading(() => readings.countAuthorizations(), clock, COUNTS_EVERY_MS);
  }

  onModuleInit(): void {
    this.metrics.readGaugesFrom(() => this.read());
  }

  private async read(): Promise<readonly GaugeValue[]> {
    const [gates, counts] = await Promise.all([this.gates.read(), this.counts.read()]);
    return [...this.ofThisProcess(), ...breakers(gates), ...authorizations(counts)];
  }

  private ofThisProcess(): readonly GaugeValue[] {
    const ageSeconds = this.custody.oldestPendingAgeMs / SECOND_MS;
    return [
      { gauge: 'notion_auth_refreshes_in_flight', labels: {}, value: this.refreshes.inFlight },
      { gauge: 'notion_auth_pending_pairs', labels: {}, value: this.custody.pendingCount },
      { gauge: 'notion_auth_pending_pair_age_seconds', labels: {}, value: ageSeconds },
      { gauge: 'notion_auth_journal_records', labels: {}, value: this.journal.size },
    ];
  }
}

function breakers(closed: readonly RefreshGate[] | null): readonly GaugeValue[] {
  if (closed === null) return [];
  return REFRESH_GATES.map((breaker) => ({
    gauge: 'notion_auth_breaker_open',
    labels: { breaker },
    value: closed.includes(breaker) ? 1 : 0,
  }));
}

function authorizations(counts: readonly AuthorizationCount[] | null): readonly GaugeValue[] {
  if (counts === null) return [];
  return STANDINGS.map((labels) => ({
    gauge: 'notion_auth_authorizations',
    labels,
    value:
      counts.find(({ status, reason }) => status === labels.status && (reason ?? 'none') === labels.reason)
        ?.total ?? 0,
  }));
}
