import type { TimeSpan } from '../domain/time-grid.js';
import {
  percentile,
  rateOf,
  verdictsOf,
  type AttemptVerdict,
  type VerdictCounts,
} from './attempt-figures.js';
import { chart } from './chart.js';
import { dotPath, linePath, roundedUp, stackedBars, type Bar } from './chart-geometry.js';
import { html, type Html } from './html.js';
import type { HistoryBucket } from './refresh-history.js';
import { timeLabel, xLabelsOf } from './time-labels.js';
import { count, duration, percent, plural, SPAN_WORDS } from './words.js';

const SERIES: readonly AttemptVerdict[] = ['succeeded', 'failed', 'neither'];

/** Success against failure, and how long Notion took; a sentence instead where nothing happened. */
export function refreshCharts(span: TimeSpan, buckets: readonly HistoryBucket[]): Html {
  const counted = buckets.filter(({ tallies }) => tallies !== null);
  const hasAttempts = counted.some(({ tallies }) => tallies !== null && tallies.length > 0);
  const missing = buckets.length - counted.length;
  if (!hasAttempts && missing === 0) return nothing(span);
  return html`${missing === 0 ? null : stillCounting(missing, buckets.length)}
    <div class="charts">${attemptsChart(span, buckets)} ${latencyChart(span, buckets)}</div>`;
}

function nothing(span: TimeSpan): Html {
  return html`<div class="card empty">
    <p><strong>No refresh ended in the last ${SPAN_WORDS[span]}.</strong></p>
    <p>
      Tokens are renewed when Notion refuses them or a sweep takes them up, so a quiet time is a normal one.
    </p>
  </div>`;
}

function stillCounting(missing: number, all: number): Html {
  return html`<p class="notice" role="status">
    Still counting: ${count(missing)} of ${count(all)} parts of this time are missing. Load the page again in
    a moment.
  </p>`;
}

function attemptsChart(span: TimeSpan, buckets: readonly HistoryBucket[]): Html {
  const verdicts = buckets.map(({ tallies }) => verdictsOf(tallies ?? []));
  const all = verdictsOf(buckets.flatMap(({ tallies }) => tallies ?? []));
  const most = roundedUp(Math.max(...verdicts.map(totalOf)));
  const columns = stackedBars(
    verdicts.map((counts) => SERIES.map((series) => counts[series])),
    most,
  );
  return chart({
    id: 'attempts',
    title: 'Refreshes',
    summary: attemptsSummary(span, all),
    legend: [
      { series: 'succeeded', label: 'succeeded' },
      { series: 'failed', label: 'failed' },
      { series: 'neither', label: 'no verdict (revoked, limited, not sent)' },
    ],
    drawing: html`${columns.map((bars) => bars.map((bar, index) => barOf(bar, SERIES[index] ?? 'neither')))}`,
    yLabels: [count(most), Number.isInteger(most / 2) ? count(most / 2) : '', '0'],
    xLabels: xLabelsOf(span, buckets),
    columns: ['From', 'Succeeded', 'Failed', 'No verdict', 'Rate'],
    rows: buckets
      .map(({ from, tallies }, index) => {
        const counts = verdicts[index];
        if (tallies === null || counts === undefined) return [timeLabel(span, from), '…', '…', '…', '…'];
        return [
          timeLabel(span, from),
          ...SERIES.map((series) => count(counts[series])),
          percent(rateOf(counts)),
        ];
      })
      .reverse(),
  });
}

function attemptsSummary(span: TimeSpan, all: VerdictCounts): string {
  const judged = all.succeeded + all.failed;
  if (judged === 0) return `No attempt of the last ${SPAN_WORDS[span]} says how well refreshing works.`;
  return `${percent(rateOf(all))} of ${plural(judged, 'refresh', 'refreshes')} succeeded in the last ${SPAN_WORDS[span]}; ${count(all.failed)} failed.`;
}

function latencyChart(span: TimeSpan, buckets: readonly HistoryBucket[]): Html {
  const shares = (share: number) => buckets.map(({ tallies }) => percentile(tallies ?? [], share));
  const [median, slow] = [shares(0.5), shares(0.95)];
  const all = buckets.flatMap(({ tallies }) => tallies ?? []);
  const most = roundedUp(Math.max(...slow.map((value) => value ?? 0)));
  return chart({
    id: 'latency',
    title: 'How long Notion took',
    summary: latencySummary(percentile(all, 0.5), percentile(all, 0.95)),
    legend: [
      { series: 'median', label: 'median' },
      { series: 'slow', label: '95th percentile' },
    ],
    drawing: html`${line('slow', slow, most)}${line('median', median, most)}`,
    yLabels: [duration(most), duration(most / 2), '0'],
    xLabels: xLabelsOf(span, buckets),
    columns: ['From', 'Median', '95th percentile'],
    rows: buckets
      .map(({ from }, index) => [
        timeLabel(span, from),
        duration(median[index] ?? null),
        duration(slow[index] ?? null),
      ])
      .reverse(),
  });
}

function latencySummary(median: number | null, slow: number | null): string {
  if (median === null || slow === null) return 'No answer of Notion was measured.';
  return `Half of the answers came within ${duration(median)}, 95 of 100 within ${duration(slow)}.`;
}

function totalOf({ succeeded, failed, neither }: VerdictCounts): number {
  return succeeded + failed + neither;
}

function barOf({ x, y, width, height }: Bar, series: string): Html | null {
  if (height === 0) return null;
  return html`<rect class="${series}" x="${x}" y="${y}" width="${width}" height="${height}" />`;
}

function line(series: string, values: readonly (number | null)[], most: number): Html {
  return html`<path class="${series}" d="${linePath(values, most)}" />
    <path class="dot ${series}" d="${dotPath(values, most)}" />`;
}
