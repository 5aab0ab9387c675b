import type {
  CounterLabels,
  CounterName,
  GaugeName,
  HistogramLabels,
  HistogramName,
  SeriesLabels,
} from './instruments.js';

/** One value of a gauge at the moment it was asked for. */
export interface GaugeValue {
  readonly gauge: GaugeName;
  readonly labels: SeriesLabels;
  readonly value: number;
}

/** Reads every gauge. Never rejects; what cannot be known now is missing. */
export type GaugeReader = () => Promise<readonly GaugeValue[]>;

/**
 * Where counts and durations go. Called on the way of every refresh and of every failed call: an implementation must
 * be fast and must not throw.
 */
export abstract class NotionMetrics {
  abstract count<Name extends CounterName>(counter: Name, labels: CounterLabels<Name>): void;

  abstract observe<Name extends HistogramName>(
    histogram: Name,
    labels: HistogramLabels<Name>,
    durationMs: number,
  ): void;

  /** What to ask when the gauges are collected. */
  abstract readGaugesFrom(reader: GaugeReader): void;
}

/** For applications that export no metrics. */
export class NoMetrics extends NotionMetrics {
  override count(): void {
    // Nobody asks.
  }

  override observe(): void {
    // Nobody asks.
  }

  override readGaugesFrom(): void {
    // Nobody asks.
  }
}
