import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  BUCKETS_SECONDS,
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  seriesOf,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type Instrument,
} from '../domain/instruments.js';
import type { GaugeReader, GaugeValue } from '../domain/notion-metrics.js';

/** Of these a sum over several clients says nothing; of all others it does, as each module reads its own client's. */
const SHOWN_BY_MAXIMUM: ReadonlySet<GaugeName> = new Set([
  'notion_auth_pending_pair_age_seconds',
  'notion_auth_breaker_open',
]);

const shared = new WeakMap<Registry, RegistryInstruments>();

/**
 * The instruments in one registry, shared by every module that reports into it: `prom-client` allows one metric of a
 * name. Counts and durations add up; a gauge is the sum over the modules, or the maximum for ages and breakers.
 */
export class RegistryInstruments {
  readonly counters: ReadonlyMap<CounterName, Counter>;
  readonly histograms: ReadonlyMap<HistogramName, Histogram>;
  private readonly gauges: ReadonlyMap<GaugeName, Gauge>;
  /** One for each module, by the object through which it reports. */
  private readonly readers = new Map<object, GaugeReader>();
  private reading: Promise<readonly GaugeValue[]> | null = null;

  private constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.counters = instruments(COUNTERS, (described) => new Counter({ ...described, registers }));
    this.histograms = instruments(
      HISTOGRAMS,
      (described) => new Histogram({ ...described, buckets: [...BUCKETS_SECONDS], registers }),
    );
    this.gauges = instruments(GAUGES, (described) => this.gauge(described));
    // Every series is there from the start, at 0: `increase()` would miss the first event.
    for (const [name, counter] of this.counters) {
      for (const labels of seriesOf(COUNTERS[name])) counter.inc(labels, 0);
    }
    for (const [name, histogram] of this.histograms) {
      for (const labels of seriesOf(HISTOGRAMS[name])) histogram.zero(labels);
    }
  }

  /** Makes the instruments where the registry has none of ours, as after `registry.clear()`. */
  static of(registry: Registry): RegistryInstruments {
    const known = shared.get(registry);
    if (known?.isRegistered === true) return known;
    const made = new RegistryInstruments(registry);
    shared.set(registry, made);
    return made;
  }

  /** Asks this reader at every scrape, until {@link leave}. */
  readFrom(member: object, reader: GaugeReader): void {
    this.readers.set(member, reader);
  }

  /** After the last one an application that starts again in the same process, as in tests, finds the registry empty. */
  leave(member: object): void {
    this.readers.delete(member);
    if (this.readers.size > 0 || !this.isRegistered) return;
    for (const name of [...this.counters.keys(), ...this.histograms.keys(), ...this.gauges.keys()]) {
      this.registry.removeSingleMetric(name);
    }
  }

  private get isRegistered(): boolean {
    return [...this.gauges].every(([name, gauge]) => this.registry.getSingleMetric(name) === gauge);
  }

  private gauge(described: Described<GaugeName>): Gauge {
    const collect = async (): Promise<void> => {
      const values = await this.readOnce();
      gauge.reset();
      for (const { labels, value } of values.filter((one) => one.gauge === described.name)) {
        gauge.set(labels, value);
      }
    };
    const gauge: Gauge = new Gauge({ ...described, registers: [this.registry], collect });
    return gauge;
  }

  /** One scrape collects every gauge; they are read together. */
  private readOnce(): Promise<readonly GaugeValue[]> {
    this.reading ??= this.readAll().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async readAll(): Promise<readonly GaugeValue[]> {
    return combined((await Promise.all([...this.readers.values()].map((read) => read()))).flat());
  }
}

/** One value for each series. */
function combined(values: readonly GaugeValue[]): readonly GaugeValue[] {
  const bySeries = new Map<string, GaugeValue>();
  for (const one of values) {
    const series = JSON.stringify([one.gauge, one.labels]);
    const other = bySeries.get(series)?.value ?? 0;
    const value = SHOWN_BY_MAXIMUM.has(one.gauge) ? Math.max(other, one.value) : other + one.value;
    bySeries.set(series, { ...one, value });
  }
  return [...bySeries.values()];
}

interface Described<Name extends string> {
  readonly name: Name;
  readonly help: string;
  readonly labelNames: string[];
}

function instruments<Name extends string, Made>(
  table: Readonly<Record<Name, Instrument>>,
  make: (described: Described<Name>) => Made,
): ReadonlyMap<Name, Made> {
  const described = Object.entries<Instrument>(table).map(([name, { help, labels }]) => ({
    name: name as Name,
    help,
    labelNames: Object.keys(labels),
  }));
  return new Map(described.map((one) => [one.name, make(one)]));
}
