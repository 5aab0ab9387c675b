import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { Registry } from 'prom-client';
import { COUNTERS, GAUGES, HISTOGRAMS, seriesOf } from '../../src/domain/instruments.js';
import { MetricsApp } from '../support/metrics.app.js';
import { databaseFor, REDIRECT_URI, type NotionAppOptions } from '../support/notion-app.js';
import { statementsDuring } from '../support/statement.recorder.js';
import { sqlite } from '../support/storage.harness.js';

const CALLBACK = new URL(REDIRECT_URI).pathname;

describe('metrics for Prometheus', () => {
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  let registry: Registry;
  const apps: MetricsApp[] = [];

  beforeEach(async () => {
    simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
    storage = await databaseFor(sqlite);
    registry = new Registry();
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await simulator.close();
    await storage.drop();
  });

  async function start(options: NotionAppOptions = {}): Promise<MetricsApp> {
    const app = await MetricsApp.start(simulator, {
      ...storage.options,
      ...options,
      providers: [prometheusMetrics(registry)],
    });
    apps.push(app);
    return app;
  }

  /** The value of the one series that has these labels among its own. */
  async function value(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { values } = (await registry.getSingleMetric(name)!.get()) as {
      values: { labels: Record<string, unknown>; value: number; metricName?: string }[];
    };
    const found = values.filter(
      (one) =>
        (one.metricName === undefined || one.metricName === `${name}_count`) &&
        Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted),
    );
    expect([name, labels, found.length]).toEqual([name, labels, 1]);
    return found[0]!.value;
  }

  async function series(): Promise<readonly string[]> {
    const lines = (await registry.metrics()).split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  }

  const attempts = (outcome: string, trigger = 'manual') =>
    value('notion_auth_refresh_attempts_total', { outcome, trigger });

  it('exports every series of every counter as 0 from the start, before anything happens', async () => {
    await start();
    const lines = await series();
    for (const [name, counter] of Object.entries(COUNTERS)) {
      const own = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      expect([name, own.length]).toEqual([name, seriesOf(counter).length]);
      expect(own.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    }
    for (const [name, histogram] of Object.entries(HISTOGRAMS)) {
      const counts = lines.filter((line) => line.startsWith(`${name}_count`));
      expect([name, counts.length]).toEqual([name, seriesOf(histogram).length]);
    }
    for (const name of Object.keys(GAUGES)) {
      expect([name, lines.some((line) => line.startsWith(name))]).toEqual([name, true]);
    }
  });

  it('counts each refresh by outcome and trigger, and how long its phases and its callers took', async () => {
    const app = await start();
    const { id, botId } = await app.connect();
    await app.refreshes.refresh(id, { trigger: 'manual' });
    simulator.expireAccessToken(botId);
    expect(await app.call(id)).toBe(200);
    expect(await attempts('success')).toBe(1);
    expect(await attempts('success', 'unauthorized')).toBe(1);
    for (const phase of ['claim', 'upstream', 'store', 'total']) {
      expect([phase, await value('notion_auth_refresh_duration_seconds', { phase })]).toEqual([phase, 2]);
    }
    expect(await value('notion_auth_refresh_wait_seconds')).toBe(2);
    expect(await value('notion_auth_refreshes_in_flight')).toBe(0);
  });

  it('tells people who revoked from grants that were lost on the way', async () => {
    const app = await start({
      refresh: { replay: 'never', quarantineMs: 1, restartGraceMs: 1, leaseMs: 90_000 },
    });
    const revoked = await app.connect();
    simulator.revokeGrant(revoked.botId);
    await app.refreshes.refresh(revoked.id, { trigger: 'manual' });
    expect(await attempts('dead')).toBe(1);
    expect(await value('notion_auth_grants_lost_total')).toBe(0);

    const lost = await app.connect();
    simulator.fail('refresh', { kind: 'drop_after' }, { times: 1 });
    await app.refreshes.refresh(lost.id, { trigger: 'manual' });
    expect(await attempts('unknown')).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await app.refreshes.refresh(lost.id, { trigger: 'recovery' });
    expect(await attempts('lost', 'recovery')).toBe(1);
    expect(await value('notion_auth_grants_lost_total')).toBe(1);
    expect(
      await value('notion_auth_authorizations', { status: 'needs_reconnect', reason: 'lost_rotation' }),
    ).toBe(1);
  });

  it('counts a pair that cannot be stored while callers wait once, as store_failed', async () => {
    const app = await start({ refresh: { callerWaitMs: 200 } });
    const { id } = await app.connect();
    const storePair = app.store.storePair.bind(app.store);
    let isBroken = true;
    app.store.storePair = (...given) =>
      isBroken ? Promise.reject(new Error('no disk')) : storePair(...given);
    await expect(app.refreshes.refresh(id, { trigger: 'manual' })).resolves.toEqual({ kind: 'busy' });
    while ((await attempts('store_failed')) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await attempts('store_failed')).toBe(1);
    expect(await value('notion_auth_pending_pairs')).toBe(1);
    expect(await value('notion_auth_pending_pair_age_seconds')).toBeGreaterThan(0.2);
    isBroken = false;
    while ((await value('notion_auth_pending_pairs')) > 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect([await attempts('store_failed'), await attempts('success')]).toEqual([1, 0]);
  });

  it('shows an open breaker, and that the status of nobody changed, when Notion refuses the client', async () => {
    const app = await start();
    const { id } = await app.connect();
    simulator.fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' });
    await app.refreshes.refresh(id, { trigger: 'manual' });
    expect(await attempts('configuration')).toBe(1);
    expect(await value('notion_auth_breaker_open', { breaker: 'configuration' })).toBe(1);
    expect(await value('notion_auth_breaker_open', { breaker: 'mass_dead' })).toBe(0);
    expect(await value('notion_auth_authorizations', { status: 'active', reason: 'none' })).toBe(1);
  });

  it('counts what Notion answered to calls, codes it does not know as other', async () => {
    const app = await start();
    const { id } = await app.connect();
    simulator.fail('api', { kind: 'status', status: 404 }, { times: 1 });
    await app.call(id);
    simulator.fail('api', { kind: 'status', status: 418, code: 'a code of tomorrow' }, { times: 1 });
    await app.call(id);
    simulator.fail('api', { kind: 'html', status: 502 }, { times: 1 });
    await app.call(id);
    await app.call(id);
    expect(await value('notion_auth_api_errors_total', { code: 'object_not_found' })).toBe(1);
    expect(await value('notion_auth_api_errors_total', { code: 'other' })).toBe(2);
  });

  it('counts callbacks by what they came to', async () => {
    const app = await start();
    expect(await app.connectInBrowser()).toBe(303);
    expect(await app.connectInBrowser()).toBe(303);
    expect(await app.callBack(`${CALLBACK}?code=c&state=${'a'.repeat(43)}`)).toBe(400);
    simulator.fail('exchange', { kind: 'status', status: 503 }, { times: 1 });
    expect(await app.connectInBrowser()).toBe(502);
    const result = (name: string) => value('notion_auth_callbacks_total', { result: name });
    expect([await result('connected'), await result('reconnected')]).toEqual([1, 1]);
    expect([await result('wrong_browser'), await result('notion_failed')]).toEqual([1, 1]);
  });

  it('E5: counts stored secrets that do not open', async () => {
    const app = await start();
    const { id } = await app.connect();
    await app.database.transaction(({ manager }) =>
      manager.query(`UPDATE notion_authorization SET sealed_access_token = 'damaged'`),
    );
    await expect(app.call(id)).rejects.toThrow();
    expect(await value('notion_auth_decrypt_failures_total', { reason: 'damaged_envelope' })).toBeGreaterThan(
      0,
    );
  });

  it('notices one authorization with many errors, and one that is refreshed again and again, once in ten minutes', async () => {
    const app = await start();
    const [failing, well] = [await app.connect(), await app.connect()];
    const alerts = (kind: string) => value('notion_auth_authorization_alerts_total', { kind });
    for (let call = 0; call < 19; call += 1) await app.call(failing.id, '/v1/pages/not-there');
    for (let call = 0; call < 100; call += 1) await app.call(well.id);
    expect(await alerts('error_spike')).toBe(0);
    for (let call = 0; call < 30; call += 1) await app.call(failing.id, '/v1/pages/not-there');
    expect(await alerts('error_spike')).toBe(1);
    for (let refresh = 0; refresh < 6; refresh += 1)
      await app.refreshes.refresh(well.id, { trigger: 'manual' });
    expect(await alerts('refresh_storm')).toBe(1);
    app.clock.moveOn(11 * 60_000);
    for (let call = 0; call < 20; call += 1) await app.call(failing.id, '/v1/pages/not-there');
    expect(await alerts('error_spike')).toBe(2);
  });

  it('I2, F10: has as many series with 1,000 tenants as with none, and no id in any of them', async () => {
    // However slow the machine: a caller who gives up would leave the last of them uncounted.
    const app = await start({ refresh: { callerWaitMs: 60_000 } });
    const before = (await series()).length;
    const authorizations = [];
    for (let tenant = 0; tenant < 1_000; tenant += 1) authorizations.push(await app.connect());
    await Promise.all(authorizations.map(({ id }) => app.call(id, `/v1/pages/${id}`)));
    for (let from = 0; from < authorizations.length; from += 50) {
      const some = authorizations.slice(from, from + 50);
      const outcomes = await Promise.all(
        some.map(({ id }) => app.refreshes.refresh(id, { trigger: 'schedule' })),
      );
      expect(outcomes.filter(({ kind }) => kind !== 'renewed')).toEqual([]);
    }
    app.clock.moveOn(60_000);
    const lines = await series();
    expect(lines.length).toBe(before);
    expect(await value('notion_auth_authorizations', { status: 'active', reason: 'none' })).toBe(1_000);
    expect(await attempts('success', 'schedule')).toBe(1_000);
    const text = lines.join('\n');
    for (const { id, botId, workspaceId } of authorizations) {
      expect([id, botId, workspaceId].filter((one) => text.includes(one))).toEqual([]);
    }
    // Thousands of requests, beside other specs on the same processors.
  }, 180_000);

  it('I5: asks the database for at most two statements in five seconds, however often it is scraped', async () => {
    const app = await start();
    const beganAtMs = performance.now();
    const statements = await statementsDuring(app.database.dataSource, async () => {
      for (let scrape = 0; scrape < 200; scrape += 1) await series();
    });
    const lapsed = Math.floor((performance.now() - beganAtMs) / 5_000);
    const own = statements.filter(({ sql }) => /closed_until\W* IS NOT NULL|COUNT\(\*\)/.test(sql));
    expect(own.length).toBeGreaterThan(0);
    expect(own.length).toBeLessThanOrEqual(2 * (1 + lapsed));
  });

  it('leaves the registry as it was, so that an application can start again in the same process', async () => {
    const first = await start();
    await first.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
    await start();
    expect(registry.getMetricsAsArray()).not.toEqual([]);
  });
});
