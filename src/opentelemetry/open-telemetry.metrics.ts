import type { OnApplicationShutdown, Provider } from '@nestjs/common';
import {
  metrics,
  type BatchObservableCallback,
  type Counter,
  type Histogram,
  type Meter,
  type MetricOptions,
  type ObservableGauge,
} from '@opentelemetry/api';
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
import { NotionMetrics, type GaugeReader } from '../domain/notion-metrics.js';

/**
 * Sends the module's metrics to the OpenTelemetry SDK that the application has started before Nest; without one they
 * go nowhere. OpenTelemetry's exporter for Prometheus adds `_total` and `_seconds`, so that both have one name.
 */
export function openTelemetryMetrics(): Provider {
  return {
    provide: NotionMetrics,
    useFactory: () => new OpenTelemetryMetrics(metrics.getMeter('nestjs-notion-auth')),
  };
}

export class OpenTelemetryMetrics extends NotionMetrics implements OnApplicationShutdown {
  private readonly counters: ReadonlyMap<CounterName, Counter>;
  private readonly histograms: ReadonlyMap<HistogramName, Histogram>;
  private readonly gauges: ReadonlyMap<GaugeName, ObservableGauge>;
  private stopReading: () => void = () => undefined;

  constructor(private readonly meter: Meter) {
    super();
    this.counters = instruments(COUNTERS, (name, options) => meter.createCounter(name, options));
    this.histograms = instruments(HISTOGRAMS, (name, options) =>
      meter.createHistogram(name, {
        ...options,
        advice: { explicitBucketBoundaries: [...BUCKETS_SECONDS] },
      }),
    );
    this.gauges = instruments(GAUGES, (name, options) => meter.createObservableGauge(name, options));
    for (const [name, counter] of this.counters) {
      for (const labels of seriesOf(COUNTERS[name])) counter.add(0, labels);
    }
  }

  override count<Name extends CounterName>(counter: Name, labels: CounterLabels<Name>): void {
    this.counters.get(counter)?.add(1, labels);
  }

  override observe<Name extends HistogramName>(
    histogram: Name,
    labels: HistogramLabels<Name>,
    durationMs: number,
  ): void {
    this.histograms.get(histogram)?.record(durationMs / SECOND_MS, labels);
  }

  override readGaugesFrom(reader: GaugeReader): void {
    const observables = [...this.gauges.values()];
    const callback: BatchObservableCallback = async (result) => {
      for (const { gauge, labels, value } of await reader()) {
        const observable = this.gauges.get(gauge);
        if (observable !== undefined) result.observe(observable, value, labels);
      }
    };
    this.meter.addBatchObservableCallback(callback, observables);
    this.stopReading = () => {
      this.meter.removeBatchObservableCallback(callback, observables);
    };
  }

  onApplicationShutdown(): void {
    this.stopReading();
  }
}

function instruments<Name extends string, Made>(
  table: Readonly<Record<Name, Instrument>>,
  make: (name: string, options: MetricOptions) => Made,
): ReadonlyMap<Name, Made> {
  const entries = Object.entries(table) as [Name, Instrument][];
  return new Map(
    entries.map(([name, { help }]) => {
      const unit = name.endsWith('_seconds') ? 's' : undefined;
      return [name, make(name.replace(/_(total|seconds)$/, ''), { description: help, unit })];
    }),
  );
}
