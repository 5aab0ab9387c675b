import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, NotionRefreshService, Secret, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { PairCustody } from '../../src/refresh/pair.custody.js';
import { HealthApp, MovedClock } from '../support/health.app.js';
import { storeMany } from '../support/many.authorizations.js';
import { databaseFor, REDIRECT_URI } from '../support/notion-app.js';
import { statementsDuring } from '../support/statement.recorder.js';
import { sqlite } from '../support/storage.harness.js';

const PROBES = ['/health/ready', '/health/notion'];
/** Everything that a body may say besides numbers. */
const WORDS = [
  ...[
    'status',
    'info',
    'error',
    'details',
    'notionAuth',
    'up',
    'down',
    'ok',
    'process',
    'serving',
    'draining',
  ],
  ...['database', 'keys', 'complete', 'unknown_key_id', 'not_known', 'state', 'degraded', 'critical'],
  ...['insufficient_data', 'rate', 'samples', 'windowSeconds', 'scope', 'fleet', 'replica', 'lostGrants'],
  ...['pendingPairs', 'pendingPairAgeSeconds', 'breakers', 'rate_limit', 'configuration', 'mass_dead'],
  ...['failover', 'open', 'closed', 'null'],
];

describe('health', () => {
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  let options: NotionAuthOptions;
  let clock: MovedClock;
  const apps: HealthApp[] = [];

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    storage = await databaseFor(sqlite);
    clock = new MovedClock();
    options = {
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: simulator.url,
      encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
      ...storage.options,
    };
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await simulator.close();
    await storage.drop();
  });

  async function start(changes: Partial<NotionAuthOptions> = {}): Promise<HealthApp> {
    const app = await HealthApp.start({ ...options, ...changes }, clock);
    apps.push(app);
    return app;
  }

  async function keep(app: HealthApp): Promise<string> {
    const granted = simulator.grant();
    const kept = await app.store.connect({
      ownerId: 'owner-1',
      clientId: granted.clientId,
      redirectUri: REDIRECT_URI,
      reconnect: null,
      grant: { ...granted, ownerKind: granted.ownerType },
      pair: {
        accessToken: new Secret(granted.accessToken),
        refreshToken: new Secret(granted.refreshToken!),
        expiresInMs: null,
      },
    });
    if (!('authorization' in kept)) throw new Error('A new person cannot be another grant.');
    return kept.authorization.id;
  }

  /** As if so many refreshes had ended just now, somewhere in the fleet. */
  async function happened(app: HealthApp, outcome: string, times: number, minutesAgo = 0): Promise<void> {
    const endedAt = Date.now() - minutesAgo * 60_000;
    for (let number = 0; number < times; number += 1) {
      await app.database.read(({ manager }) =>
        manager.query(
          `INSERT INTO notion_refresh_attempt (id, authorization_id, client_id, triggered_by, spent_version,
             attempt_owner, is_recovering, started_at, ended_at, outcome)
           VALUES ('${randomUUID()}', '${randomUUID()}', '${simulator.clientId}', 'schedule', 1, 'p', 0, ${endedAt}, ${endedAt}, '${outcome}')`,
        ),
      );
    }
  }

  it('I1: has bodies of states and numbers only, whatever happened', async () => {
    const app = await start();
    const id = await keep(app);
    await happened(app, 'unknown', 30);
    simulator.fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' });
    await app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
    for (const path of [...PROBES, '/health/enforced']) {
      clock.moveOn(31_000);
      const { text } = await app.probe(path);
      const said = text.split(/[^A-Za-z_]+/).filter((word) => word.length > 1);
      expect(said.filter((word) => !WORDS.includes(word))).toEqual([]);
    }
  });

  it('I2: says no more about 10,000 authorizations than about none', async () => {
    const app = await start();
    const shape = async () =>
      Promise.all(PROBES.map(async (path) => keysOf(JSON.parse((await app.probe(path)).text))));
    const before = await shape();
    const pairs = Array.from({ length: 10_000 }, (_, n) => ({ accessToken: `a${n}`, refreshToken: `r${n}` }));
    const { database, cipher } = app;
    await storeMany({ database, cipher, clientId: simulator.clientId, ownerId: 'owner-1', pairs });
    await happened(app, 'lost', 3);
    clock.moveOn(6_000);
    expect(await shape()).toEqual(before);
    expect((await app.probe('/health/notion')).details).toMatchObject({ samples: 3, lostGrants: 3 });
  }, 60_000);

  it('I3: mounts nothing but authorize and callback by itself', async () => {
    const testing = await Test.createTestingModule({
      imports: [NotionAuthModule.forRoot({ ...options, resolveOwner: () => 'owner-1' })],
    }).compile();
    const nest = testing.createNestApplication({ logger: false });
    await nest.init();
    const { router } = nest.getHttpAdapter().getInstance() as {
      router: { stack: readonly { route?: { path: string; methods: Readonly<Record<string, boolean>> } }[] };
    };
    const routes = router.stack.flatMap(({ route }) =>
      route === undefined ? [] : Object.keys(route.methods).map((method) => `${method} ${route.path}`),
    );
    await nest.close();
    expect(routes.sort()).toEqual(['get /notion/callback', 'get /notion/connect', 'post /notion/connect']);
  });

  it('I5: answers 1,000 polls a second with one statement in five seconds and no call to Notion', async () => {
    const app = await start();
    const mark = simulator.ledger.mark();
    const startedMs = performance.now();
    const statements = await statementsDuring(app.database.dataSource, async () => {
      const untilMs = performance.now() + 1_000;
      for (let poll = 0; poll < 1_000; poll += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, n) => app.probe(PROBES[n % 2]!)));
        await sleep(Math.max(0, untilMs - 1_000 + poll - performance.now()));
      }
    });
    const ofHealth = statements.filter(({ sql }) => sql.includes('notion_refresh_attempt'));
    // A machine too slow for a thousand a second needs more than one period for them.
    const periods = Math.ceil((performance.now() - startedMs) / 5_000);
    expect(ofHealth.length).toBeGreaterThan(0);
    expect(ofHealth.length).toBeLessThanOrEqual(periods + 1);
    expect(simulator.ledger.since(mark).apiCalls() + simulator.ledger.since(mark).tokenRequests()).toBe(0);
  }, 60_000);

  it('I6: stands behind a guard of the application', async () => {
    const app = await start();
    const outside = await app.probe('/health/guarded');
    expect(outside.status).toBe(403);
    expect(outside.text).not.toContain('notionAuth');
    expect((await app.probe('/health/guarded', { 'x-from-inside': 'yes' })).status).toBe(200);
  });

  it('I7: is alive without the database, without Notion, and while it drains', async () => {
    const app = await start();
    await simulator.close();
    await app.database.dataSource.destroy();
    simulator = await NotionSimulator.start();
    clock.moveOn(60_000);
    expect((await app.probe('/health/live')).status).toBe(200);
    await app.database.dataSource.initialize();
  });

  it('D6: is not ready without a key that stored tokens need', async () => {
    const first = await start();
    await keep(first);
    expect((await first.probe('/health/ready')).details).toMatchObject({ status: 'up', keys: 'complete' });
    const second = await start({
      encryptionKeys: [{ id: 'k2', key: randomBytes(32).toString('base64') }],
      allowMissingKeys: true,
    });
    const { status, details } = await second.probe('/health/ready');
    expect([status, details]).toEqual([
      503,
      { status: 'down', process: 'serving', database: 'up', keys: 'unknown_key_id' },
    ]);
  });

  it('is not ready from the moment it is told to end, and stays alive meanwhile', async () => {
    const app = await start({ refresh: { drainMs: 20_000 } });
    const id = await keep(app);
    simulator.configure({ delayMs: { token: 5_000 } });
    const refresh = app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
    while (simulator.ledger.refreshes() === 0) await sleep(10);
    const closing = app.nest.close();
    apps.pop();
    await sleep(50);
    const [ready, live] = await Promise.all([app.probe('/health/ready'), app.probe('/health/live')]);
    expect([ready.status, ready.details.process, live.status]).toEqual([503, 'draining', 200]);
    await closing;
    expect(await refresh).toMatchObject({ kind: 'renewed' });
  });

  it('is degraded or critical when it is seen twice, half a minute apart, and reports so with 200', async () => {
    const app = await start();
    await happened(app, 'unknown', 30);
    expect((await app.probe('/health/notion')).details.state).toBe('insufficient_data');
    clock.moveOn(31_000);
    const reported = await app.probe('/health/notion');
    expect([reported.status, reported.details.status]).toEqual([200, 'up']);
    expect(reported.details).toMatchObject({ state: 'critical', rate: 0, samples: 30, scope: 'fleet' });
    const enforced = await app.probe('/health/enforced');
    expect([enforced.status, enforced.details.status]).toEqual([503, 'down']);
    expect((await app.probe('/health/ready')).status).toBe(200);
  });

  it('is critical while Notion refuses the client, and shows the breaker', async () => {
    const app = await start();
    const id = await keep(app);
    simulator.fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' });
    const refreshed = await app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
    expect(refreshed.kind).toBe('configuration');
    await app.probe('/health/notion');
    clock.moveOn(31_000);
    const { details } = await app.probe('/health/notion');
    expect(details).toMatchObject({
      state: 'critical',
      breakers: { configuration: 'open', rate_limit: 'closed', mass_dead: 'closed', failover: 'closed' },
    });
  });

  it('is critical while an answered pair waits for the database, and says for how long', async () => {
    const app = await start();
    const custody = app.nest.get(PairCustody);
    const claim = { authorizationId: randomUUID(), attemptId: randomUUID(), spentVersion: 1 } as never;
    const pair = { accessToken: new Secret('a'), refreshToken: new Secret('r'), expiresInMs: null };
    custody.take(claim, pair);
    clock.moveOn(31_000);
    await app.probe('/health/notion');
    clock.moveOn(31_000);
    const { details } = await app.probe('/health/notion');
    expect(details).toMatchObject({ state: 'critical', pendingPairs: 1, pendingPairAgeSeconds: 62 });
    custody.dropped(claim);
  });

  it('falls back on its own attempts while the database does not answer', async () => {
    const app = await start();
    const id = await keep(app);
    await app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
    expect((await app.probe('/health/notion')).details).toMatchObject({ scope: 'fleet', samples: 1 });
    await app.database.dataSource.destroy();
    clock.moveOn(16_000);
    const { status, details } = await app.probe('/health/notion');
    expect(status).toBe(200);
    expect(details).toMatchObject({ scope: 'replica', samples: 1, rate: 1 });
    expect(details.breakers).toMatchObject({ configuration: 'not_known' });
    await app.database.dataSource.initialize();
  });

  it('is not ready after three failures and fifteen seconds, and ready again with the first answer', async () => {
    const app = await start();
    expect((await app.probe('/health/ready')).status).toBe(200);
    await app.database.dataSource.destroy();
    const seen: number[] = [];
    for (let poll = 0; poll < 4; poll += 1) {
      clock.moveOn(5_100);
      seen.push((await app.probe('/health/ready')).status);
    }
    expect(seen).toEqual([200, 200, 200, 503]);
    expect((await app.probe('/health/ready-without-database')).status).toBe(200);
    await app.database.dataSource.initialize();
    clock.moveOn(5_100);
    expect((await app.probe('/health/ready')).status).toBe(200);
  });
});

/** Every path of keys in a body. */
function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, held]) => keysOf(held, `${path}.${key}`));
}
