import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionAuthModule, NotionMetrics, type GaugeReader } from 'nestjs-notion-auth';
import { PrometheusMetrics, prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Registry } from 'prom-client';
import { NotionApp, REDIRECT_URI } from '../support/notion-app.js';

const KEYS = [{ id: 'k1', key: randomBytes(32).toString('base64') }];

async function valueOf(registry: Registry, name: string, labels: object = {}): Promise<number | undefined> {
  const { values } = await registry.getSingleMetric(name)!.get();
  return values.find((one) => Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted))
    ?.value;
}

describe('two Notion clients that report into one Prometheus registry', () => {
  let simulators: readonly [NotionSimulator, NotionSimulator];
  let registry: Registry;
  const closing: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    simulators = [await NotionSimulator.start(), await NotionSimulator.start()];
    registry = new Registry();
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    for (const simulator of simulators) await simulator.close();
  });

  async function startOne(simulator: NotionSimulator): Promise<NotionApp> {
    const app = await NotionApp.start(simulator, {
      databaseFile: ':memory:',
      providers: [prometheusMetrics(registry)],
    });
    closing.push(() => app.close());
    return app;
  }

  it('start in one application', async () => {
    const registered = (simulator: NotionSimulator) =>
      NotionAuthModule.forRoot({
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: KEYS,
        databaseFile: ':memory:',
        routes: false,
        isGlobal: false,
        providers: [prometheusMetrics(registry)],
      });
    @Module({ imports: simulators.map(registered) })
    class AppModule {}
    const app: INestApplicationContext = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
    });
    closing.push(() => app.close());
    expect(await registry.metrics()).toContain('notion_auth_breaker_open');
  });

  it('add up their counts, and their gauges', async () => {
    const [sales, support] = [await startOne(simulators[0]), await startOne(simulators[1])];
    const ids = [(await sales.keep(simulators[0].grant())).id];
    const others = [
      (await support.keep(simulators[1].grant())).id,
      (await support.keep(simulators[1].grant())).id,
    ];
    for (const id of ids) await sales.refreshes.refresh(id, { trigger: 'manual' });
    for (const id of others) await support.refreshes.refresh(id, { trigger: 'manual' });
    expect(
      await valueOf(registry, 'notion_auth_refresh_attempts_total', {
        outcome: 'success',
        trigger: 'manual',
      }),
    ).toBe(3);
    expect(await valueOf(registry, 'notion_auth_authorizations', { status: 'active', reason: 'none' })).toBe(
      3,
    );
  });

  it('show a breaker that is open for one of them, and each series once', async () => {
    const [sales] = [await startOne(simulators[0]), await startOne(simulators[1])];
    const { id } = await sales.keep(simulators[0].grant());
    simulators[0].fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' });
    await sales.refreshes.refresh(id, { trigger: 'manual' });
    expect(await valueOf(registry, 'notion_auth_breaker_open', { breaker: 'configuration' })).toBe(1);
    const series = (await registry.metrics()).split('\n').filter((line) => line.startsWith('notion_auth_'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
  });

  it('keep reporting when one of them ends, and leave nothing when both have', async () => {
    const [sales, support] = [await startOne(simulators[0]), await startOne(simulators[1])];
    await sales.keep(simulators[0].grant());
    await support.keep(simulators[1].grant());
    await closing.shift()!();
    expect(await valueOf(registry, 'notion_auth_authorizations', { status: 'active', reason: 'none' })).toBe(
      1,
    );
    await closing.shift()!();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('sum what each process has, and show the older of two ages', async () => {
    const reading = (pending: number, age: number): GaugeReader => {
      const values = [
        { gauge: 'notion_auth_pending_pairs', labels: {}, value: pending },
        { gauge: 'notion_auth_pending_pair_age_seconds', labels: {}, value: age },
      ] as const;
      return () => Promise.resolve(values);
    };
    const members: readonly NotionMetrics[] = [
      new PrometheusMetrics(registry),
      new PrometheusMetrics(registry),
    ];
    members[0]!.readGaugesFrom(reading(2, 7));
    members[1]!.readGaugesFrom(reading(3, 4));
    expect(await valueOf(registry, 'notion_auth_pending_pairs')).toBe(5);
    expect(await valueOf(registry, 'notion_auth_pending_pair_age_seconds')).toBe(7);
  });

  it('find a registry that the application has cleared as a new one', async () => {
    const before = new PrometheusMetrics(registry);
    registry.clear();
    const after = new PrometheusMetrics(registry);
    before.onApplicationShutdown();
    after.count('notion_auth_stalls_total', {});
    expect(await valueOf(registry, 'notion_auth_stalls_total')).toBe(1);
  });
});
