import type { OnApplicationShutdown, Provider } from '@nestjs/common';
import { register, type Registry } from 'prom-client';
import { SECOND_MS } from '../domain/duration.js';
import type { CounterLabels, CounterName, HistogramLabels, HistogramName } from '../domain/instruments.js';
import { NotionMetrics, type GaugeReader } from '../domain/notion-metrics.js';
import { RegistryInstruments } from './registry.instruments.js';

/**
 * Puts the module's metrics into a `prom-client` registry; the application serves them as it serves its own. Two
 * modules, of two Notion clients, may share one: their counts add up.
 *
 * @param registry - Default: the registry that `prom-client` calls `register`.
 * @example
 * ```ts
 * NotionAuthModule.forRootAsync({ ...notionAuthConfig.asProvider(), providers: [prometheusMetrics()] })
 * ```
 */
export function prometheusMetrics(registry: Registry = register): Provider {
  return { provide: NotionMetrics, useFactory: () => new PrometheusMetrics(registry) };
}

/** One module's way into the instruments of its registry. */
export class PrometheusMetrics extends NotionMetrics implements OnApplicationShutdown {
  private readonly instruments: RegistryInstruments;

  constructor(registry: Registry) {
    super();
    this.instruments = RegistryInstruments.of(registry);
    this.readGaugesFrom(() => Promise.resolve([]));
  }

  override count<Name extends CounterName>(counter: Name, labels: CounterLabels<Name>): void {
    this.instruments.counters.get(counter)?.inc(labels);
  }

  override observe<Name extends HistogramName>(
    histogram: Name,
    labels: HistogramLabels<Name>,
    durationMs: number,
  ): void {
    this.instruments.histograms.get(histogram)?.observe(labels, durationMs / SECOND_MS);
  }

  override readGaugesFrom(reader: GaugeReader): void {
    this.instruments.readFrom(this, reader);
  }

  onApplicationShutdown(): void {
    this.instruments.leave(this);
  }
}
