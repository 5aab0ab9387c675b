import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { openTelemetryMetrics, openTelemetryTracing } from 'nestjs-notion-auth/opentelemetry';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { COUNTERS, GAUGES, seriesOf } from '../../src/domain/instruments.js';
import { MetricsApp } from '../support/metrics.app.js';
import { databaseFor } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

describe('OpenTelemetry', () => {
  const spans = new InMemorySpanExporter();
  let exporter: InMemoryMetricExporter;
  let meters: MeterProvider;
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  let app: MetricsApp;

  beforeEach(async () => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
    metrics.setGlobalMeterProvider(meters);
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    );
    simulator = await NotionSimulator.start();
    storage = await databaseFor(sqlite);
    app = await MetricsApp.start(simulator, {
      ...storage.options,
      providers: [openTelemetryMetrics(), openTelemetryTracing()],
    });
  });

  afterEach(async () => {
    await app.close();
    await simulator.close();
    await storage.drop();
    await meters.shutdown();
    metrics.disable();
    trace.disable();
    spans.reset();
  });

  async function exported(): Promise<readonly MetricData[]> {
    await meters.forceFlush();
    return exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap(({ metrics: found }) => found);
  }

  it('begins every counter at 0 in every series, and reads every gauge', async () => {
    const found = await exported();
    for (const [name, counter] of Object.entries(COUNTERS)) {
      const metric = found.find(({ descriptor }) => `${descriptor.name}_total` === name)!;
      const values = (metric.dataPoints as DataPoint<number>[]).map(({ value }) => value);
      expect([name, values]).toEqual([name, seriesOf(counter).map(() => 0)]);
    }
    const gauges = found.filter(({ dataPointType }) => dataPointType === DataPointType.GAUGE);
    expect(
      gauges.map(({ descriptor }) => descriptor.name.replace('pair_age', 'pair_age_seconds')).sort(),
    ).toEqual(Object.keys(GAUGES).sort());
  });

  it('counts what happens, and measures in seconds', async () => {
    const { id } = await app.connect();
    await app.refreshes.refresh(id, { trigger: 'manual' });
    const found = await exported();
    const attempts = found.find(({ descriptor }) => descriptor.name === 'notion_auth_refresh_attempts')!;
    const counted = (attempts.dataPoints as DataPoint<number>[]).filter(({ value }) => value > 0);
    expect(counted.map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ outcome: 'success', trigger: 'manual' }, 1],
    ]);
    const duration = found.find(({ descriptor }) => descriptor.name === 'notion_auth_refresh_duration')!;
    expect(duration.descriptor.unit).toBe('s');
  });

  it('makes one span for each call and one for each refresh that it leads to', async () => {
    const { id, botId } = await app.connect();
    await app.call(id);
    simulator.expireAccessToken(botId);
    await app.call(id, '/v1/users/me?secret=of-the-caller');
    const names = spans.getFinishedSpans().map(({ name }) => name);
    expect(names).toEqual(['notion_auth.call', 'notion_auth.refresh', 'notion_auth.call']);
    const [, refresh, call] = spans.getFinishedSpans();
    expect(refresh!.attributes).toMatchObject({
      'notion_auth.authorization': id,
      'notion_auth.trigger': 'unauthorized',
      'notion_auth.outcome': 'renewed',
    });
    expect(call!.attributes).toMatchObject({
      'notion_auth.authorization': id,
      'notion_auth.method': 'GET',
      'notion_auth.status': 200,
    });
  });

  it('marks spans of failures, without addresses, bodies or tokens', async () => {
    const { id, botId } = await app.connect();
    await app.call(id, '/v1/pages/not-there?secret=of-the-caller');
    simulator.revokeGrant(botId);
    await expect(app.call(id)).rejects.toThrow();
    const finished = spans.getFinishedSpans();
    expect(finished.map(({ status }) => status.code)).toEqual(finished.map(() => SpanStatusCode.ERROR));
    expect(finished.map(({ name }) => name)).toEqual([
      'notion_auth.call',
      'notion_auth.refresh',
      'notion_auth.call',
    ]);
    const text = JSON.stringify(
      finished.map(({ name, attributes, status, events }) => [name, attributes, status, events]),
    );
    expect(text).not.toMatch(/not-there|of-the-caller|ntn_|nrt_|https?:/);
  });

  it('does nothing, and does no harm, without an SDK', async () => {
    metrics.disable();
    trace.disable();
    const other = await databaseFor(sqlite);
    const plain = await MetricsApp.start(simulator, {
      ...other.options,
      providers: [openTelemetryMetrics(), openTelemetryTracing()],
    });
    const { id } = await plain.connect();
    expect(await plain.call(id)).toBe(200);
    await plain.close();
    await other.drop();
  });
});
