import { NoMetrics, type NotionMetrics } from 'nestjs-notion-auth';
import { PrometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { Registry } from 'prom-client';
import { perSecond, type Figure } from './figure.js';
import { reportOfRounds, type OverheadReport, type Round } from './overhead.report.js';
import { median, medianRatio } from './rounds.js';

/** Many rounds, each short beside whatever else the machine does. */
const ROUNDS = { rounds: 60, warmUp: 6, calls: 1_000, parallel: 50 };
const UPDATES = 1_000_000;
const BATCHES = 50;

/**
 * What watching costs: an application with metrics, a listener for every event and the log, against one with none of
 * them.
 */
export async function compareOverhead(notionUrl: string): Promise<Figure[]> {
  const report = await reportOfRounds(notionUrl, ROUNDS);
  const { watched, bare, control } = report.rounds;
  const total = ROUNDS.rounds * ROUNDS.calls;
  return [
    compared(`${total} calls with metrics, events and log / without any`, watched, bare),
    compared('the same for two without any: what the machine adds', control, bare),
    whatWasTold(report),
    timeUpdates(),
  ];
}

/** Where others share the machine, the processor's time says more than the rates. */
function compared(what: string, rounds: readonly Round[], others: readonly Round[]): Figure {
  const rates = [rounds, others].map((some) => some.map(({ rate }) => rate));
  const cpus = [rounds, others].map((some) => some.map(({ cpuPerCall }) => cpuPerCall));
  const [rate, cpu] = [medianRatio(rates[0]!, rates[1]!), medianRatio(cpus[0]!, cpus[1]!)];
  const [took, otherTook] = cpus.map((some) => `${median(some).toFixed(0)} µs`);
  return {
    what,
    measured: `${rate.toFixed(3)}x (${rates.map(perSecond).join(' / ')}), CPU ${cpu.toFixed(3)}x (${took} / ${otherTook})`,
    goal: 'at least 0.95x of the calls, or on a busy machine at most 1.05x of the CPU',
    isMet: rate >= 0.95 || cpu <= 1.05,
  };
}

/** That the watched application was watched indeed. */
function whatWasTold({ series, eventsHeard }: OverheadReport): Figure {
  const rounds = ROUNDS.rounds + ROUNDS.warmUp;
  const refreshes = sumOf(series, /^notion_auth_refresh_attempts_total\{.*outcome="success".*\} (\d+)$/gm);
  const errors = sumOf(series, /^notion_auth_api_errors_total\{code="object_not_found"\} (\d+)$/gm);
  return {
    what: 'refreshes, refused calls and events that the metrics and the listener were told of meanwhile',
    measured: `${refreshes}, ${errors} and ${eventsHeard}`,
    goal: `${rounds}, some and ${rounds}`,
    isMet: refreshes === rounds && errors > 0 && eventsHeard >= rounds,
  };
}

function sumOf(series: string, pattern: RegExp): number {
  return [...series.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}

function timeUpdates(): Figure {
  const counted = nanosecondsOf(new PrometheusMetrics(new Registry()));
  const nowhere = nanosecondsOf(new NoMetrics());
  return {
    what: `one of ${UPDATES} updates of a metric (half counters, half histograms), prom-client`,
    measured: `${counted.toFixed(0)} ns (${nowhere.toFixed(0)} ns without metrics)`,
    goal: 'at most 1000 ns',
    isMet: counted <= 1_000,
  };
}

/** Median over the batches. */
function nanosecondsOf(metrics: NotionMetrics): number {
  const perBatch = UPDATES / BATCHES;
  const batches = Array.from({ length: BATCHES }, () => {
    const before = performance.now();
    for (let update = 0; update < perBatch; update += 2) {
      metrics.count('notion_auth_refresh_attempts_total', { outcome: 'success', trigger: 'unauthorized' });
      metrics.observe('notion_auth_refresh_duration_seconds', { phase: 'total' }, update % 1_000);
    }
    return ((performance.now() - before) * 1e6) / perBatch;
  });
  return median(batches);
}
