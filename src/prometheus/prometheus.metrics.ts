import type { OnApplicationShutdown, Provider } from '@nestjs/common';
import { Counter, Gauge, Histogram, register, type Registry } from 'prom-client';
import { SECOND_MS } from '../domain/duration.js';
import {
  BUCKETS_SECONDS,
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  seriesOf,
  type CounterLabels,
  type CounterName,
  type GaugeName,
  type HistogramLabels,
  type HistogramName,
  type Instrument,
} from '../domain/instruments.js';
import { NotionMetrics, type GaugeReader, type GaugeValue } from '../domain/notion-metrics.js';

/**
 * Puts the module's metrics into a `prom-client` registry; the application serves them as it serves its own.
 *
 * @param registry - Default: the registry that `prom-client` calls `register`. Two modules in one process need two.
 * @example
 * ```ts
 * NotionAuthModule.forRootAsync({ ...notionAuthConfig.asProvider(), providers: [prometheusMetrics()] })
 * ```
 */
export function prometheusMetrics(registry: Registry = register): Provider {
  return { provide: NotionMetrics, useFactory: () => new PrometheusMetrics(registry) };
}

/** Every series of every counter and histogram is there from the start, at 0: `increase()` would miss the first event. */
export class PrometheusMetrics extends NotionMetrics implements OnApplicationShutdown {
  private readonly counters: ReadonlyMap<CounterName, Counter>;
  private readonly histograms: ReadonlyMap<HistogramName, Histogram>;
  private readonly gauges: ReadonlyMap<GaugeName, Gauge>;
  private reader: GaugeReader = () => Promise.resolve([]);
  private reading: Promise<readonly GaugeValue[]> | null = null;

  constructor(private readonly registry: Registry) {
    super();
    const registers = [registry];
    this.counters = instruments(COUNTERS, (described) => new Counter({ ...described, registers }));
    this.histograms = instruments(
      HISTOGRAMS,
      (described) => new Histogram({ ...described, buckets: [...BUCKETS_SECONDS], registers }),
    );
    this.gauges = instruments(GAUGES, (described) => this.gauge(described));
    for (const [name, counter] of this.counters) {
      for (const labels of seriesOf(COUNTERS[name])) counter.inc(labels, 0);
    }
    for (const [name, histogram] of this.histograms) {
      for (const labels of seriesOf(HISTOGRAMS[name])) histogram.zero(labels);
    }
  }

  override count<Name extends CounterName>(counter: Name, labels: CounterLabels<Name>): void {
    this.counters.get(counter)?.inc(labels);
  }

  override observe<Name extends HistogramName>(
    histogram: Name,
    labels: HistogramLabels<Name>,
    durationMs: number,
  ): void {
    this.histograms.get(histogram)?.observe(labels, durationMs / SECOND_MS);
  }

  override readGaugesFrom(reader: GaugeReader): void {
    this.reader = reader;
  }

  /** An application that starts anew in the same process, as tests do, finds the registry as it was. */
  onApplicationShutdown(): void {
    for (const name of [...this.counters.keys(), ...this.histograms.keys(), ...this.gauges.keys()]) {
      this.registry.removeSingleMetric(name);
    }
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
    this.reading ??= this.reader().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }
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
