import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { storeMany } from '../support/many.authorizations.js';
import { databaseFor, NotionApp, OWNER, type NotionAppOptions } from '../support/notion-app.js';
import type { MemoryOrder, MemoryReport } from '../support/memory.process.js';
import { sqlite } from '../support/storage.harness.js';

const MEMORY_PROCESS = resolve(import.meta.dirname, '../../build/test/support/memory.process.js');
const MIB = 2 ** 20;
const UPSTREAM_MS = 50;
const CACHED = 10_000;

describe('limits', () => {
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  const apps: NotionApp[] = [];

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    storage = await databaseFor(sqlite);
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await simulator.close();
    await storage.drop();
  });

  async function startApp(options: NotionAppOptions = {}): Promise<NotionApp> {
    const app = await NotionApp.start(simulator, { ...storage.options, ...options });
    apps.push(app);
    return app;
  }

  function storeGrants(app: NotionApp, count: number): Promise<string[]> {
    const pairs = Array.from({ length: count }, () => simulator.grant());
    const { database, cipher } = app;
    return storeMany({ database, cipher, clientId: simulator.clientId, ownerId: OWNER, pairs });
  }

  /** Most refreshes that Notion had to work on at the same time. */
  function mostInFlight(): number {
    const begun = simulator.ledger
      .requests({ grantType: 'refresh_token' })
      .map(({ receivedAt }) => receivedAt.getTime());
    // Each of them took the delay at least, so these were under way when another one came.
    const atOnce = begun.map(
      (atMs) => begun.filter((at) => at <= atMs && at > atMs - UPSTREAM_MS + 2).length,
    );
    return Math.max(...atOnce);
  }

  it('J7: of 10,000 refreshes asked for at once begins 8, lets the queue wait, and tells the others at once', async () => {
    const app = await startApp({ refresh: { maxQueued: 100, callerWaitMs: 60_000 } });
    const ids = await storeGrants(app, 10_000);
    // The first eight take long: everybody who is told at once is told before any of them is done.
    simulator.configure({ delayMs: { token: 10_000 } });
    let busy = 0;
    let busyWhenFirstRenewed: number | null = null;
    const outcomes = await Promise.all(
      ids.map(async (id, index) => {
        // Half of them name the version they have seen, the others are looked up first.
        const seenVersion = index % 2 === 0 ? 1 : undefined;
        const outcome = await app.refreshes.refresh(id, { trigger: 'manual', seenVersion });
        if (outcome.kind === 'busy') busy += 1;
        else busyWhenFirstRenewed ??= busy;
        if (busy === 10_000 - 108) simulator.configure({ delayMs: { token: UPSTREAM_MS } });
        return outcome.kind;
      }),
    );
    const renewed = outcomes.filter((kind) => kind === 'renewed').length;
    expect(renewed).toBe(108);
    expect(busy).toBe(10_000 - 108);
    expect(busyWhenFirstRenewed).toBe(busy);
    expect(simulator.ledger.refreshes()).toBe(108);
    expect(mostInFlight()).toBeLessThanOrEqual(8);
    expect(app.refreshes.inFlight).toBe(0);
  }, 60_000);

  it('J7: takes whoever joins a refresh that is under way or queued, also when the queue is full', async () => {
    const app = await startApp({ refresh: { maxConcurrent: 1, maxQueued: 1 } });
    const [sent, queued, beyond] = (await storeGrants(app, 3)) as [string, string, string];
    simulator.configure({ delayMs: { token: UPSTREAM_MS } });
    const ask = (id: string) =>
      app.refreshes.refresh(id, { trigger: 'unauthorized', seenVersion: 1 }).then(({ kind }) => kind);
    const first = [ask(sent), ask(queued)];
    const followers = Array.from({ length: 500 }, (_, index) => ask(index % 2 === 0 ? sent : queued));
    expect(await ask(beyond)).toBe('busy');
    expect(new Set(await Promise.all([...first, ...followers]))).toEqual(new Set(['renewed']));
    expect(simulator.ledger.refreshes()).toBe(2);
    expect(await ask(beyond)).toBe('renewed');
  });

  it('J7: throws NotionRefreshBusyError to a call beyond the queue', async () => {
    const app = await startApp({ refresh: { maxConcurrent: 1, maxQueued: 1 } });
    const ids = await storeGrants(app, 3);
    simulator.configure({ delayMs: { token: UPSTREAM_MS } });
    simulator.expireAllAccessTokens();
    const calls = await Promise.allSettled(ids.map((id) => app.clients.forAuthorization(id).users.me({})));
    const refused = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as unknown);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ code: 'notion_refresh_busy' });
  });

  it('J7: of 10,000 that are due a sweep has 8 at Notion at a time, whatever the queue takes', async () => {
    const app = await startApp({ refresh: { maxQueued: 1 } });
    await storeGrants(app, 10_000);
    simulator.configure({ delayMs: { token: UPSTREAM_MS } });
    let seen = 0;
    const sweep = app.sweep.run({
      maxTokenAgeMs: 60_000,
      onProgress: ({ due }) => {
        seen = due;
      },
    });
    while (seen < 200) await sleep(20);
    // Told to end, it claims no more; nothing of what it took up was refused.
    await app.close();
    apps.pop();
    const { due, renewed, failed } = await sweep;
    expect(mostInFlight()).toBeLessThanOrEqual(8);
    expect(mostInFlight()).toBeGreaterThan(4);
    expect(renewed).toBeGreaterThanOrEqual(200);
    expect(due - renewed).toBe(failed);
    // Claims that were still waiting for their turn when the process was told to end.
    expect(failed).toBeLessThanOrEqual(16);
  }, 60_000);

  it('J7: lets a sweep resolve what is unresolved, whatever the queue takes', async () => {
    const app = await startApp({ refresh: { maxConcurrent: 2, maxQueued: 1, restartGraceMs: 1 } });
    const ids = await storeGrants(app, 20);
    simulator.fail('refresh', { kind: 'drop_after' }, { times: 20 });
    for (const id of ids) await app.refreshes.refresh(id, { trigger: 'unauthorized', seenVersion: 1 });
    await sleep(2_000);
    const report = await app.sweep.run();
    expect(report).toMatchObject({ due: 20, skipped: 0 });
  }, 60_000);

  it('J3: keeps no flight, pending pair or retained pair of a storm when its time is over', async () => {
    const app = await startApp({ refresh: { retainMs: 5_000, callerWaitMs: 40_000 } });
    const ids = await storeGrants(app, 200);
    simulator.expireAllAccessTokens();
    const calls = ids.flatMap((id) => {
      const client = app.clients.forAuthorization(id);
      return Array.from({ length: 10 }, () => client.users.me({}));
    });
    const storm = Promise.all(calls);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, app.refreshes.inFlight);
    }, 1);
    await storm;
    clearInterval(watch);
    expect(most).toBeGreaterThan(0);
    expect(app.refreshes.inFlight).toBe(0);
    expect(app.custody.pendingCount).toBe(0);
    expect(app.custody.retainedCount).toBeGreaterThan(0);
    while (app.custody.retainedCount > 0) await sleep(50);
  }, 60_000);

  it('J3: keeps the youngest of the retained pairs when there are too many', async () => {
    const app = await startApp({ refresh: { maxRetained: 3 } });
    const ids = await storeGrants(app, 5);
    for (const id of ids) await app.refreshes.refresh(id, { trigger: 'manual' });
    expect(
      app.custody
        .all()
        .map(({ authorizationId }) => authorizationId)
        .sort(),
    ).toEqual(ids.slice(2).sort());
  });

  it('J3: reads no more tokens at once than it may, and refuses the others without a look', async () => {
    const app = await startApp({ outbound: { maxReads: 10 } });
    const ids = await storeGrants(app, 50);
    const reads = await Promise.allSettled(ids.map((id) => app.tokens.getAccessToken(id)));
    expect(reads.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    for (const read of reads.slice(10)) {
      expect(read).toMatchObject({ reason: { code: 'notion_refresh_busy' } });
    }
    await expect(app.tokens.getAccessToken(ids[49]!)).resolves.toMatchObject({ version: 1 });
  });

  it('J2: touches 100,000 authorizations, keeps as many tokens as it may, and grows by less than 50 MiB', async () => {
    const app = await startApp();
    const pairs = Array.from({ length: 100_000 }, (_, index) => ({
      accessToken: `ntn_${String(index).padStart(46, '0')}`,
      refreshToken: `nrt_${String(index).padStart(46, '0')}`,
    }));
    const { database, cipher } = app;
    const many = { database, cipher, clientId: simulator.clientId, ownerId: OWNER, pairs };
    const ids = await storeMany(many);
    const child = fork(MEMORY_PROCESS, { execArgv: ['--expose-gc', '--no-warnings'] });
    const order: MemoryOrder = { options: app.options, ids, cacheSize: CACHED };
    child.send(order);
    const [report] = (await once(child, 'message')) as [MemoryReport];
    await once(child, 'exit');
    expect(report).toMatchObject({ touched: 100_000, error: null });
    expect(report.cached).toBe(CACHED);
    expect(report.grownBytes / MIB).toBeLessThan(50);
  }, 300_000);
});
