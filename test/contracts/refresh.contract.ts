import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { jest } from '@jest/globals';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { Clock, SystemClock, type Authorization } from 'nestjs-notion-auth';
import { databaseFor, NotionApp, OWNER, type NotionAppOptions } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

/** As SIGSTOP or a starved machine would: between the last look at the claim and the connection, nothing goes on. */
function stallOnceBeforeConnecting(ms: number): void {
  const stall = () => {
    unsubscribe('undici:client:beforeConnect', stall);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  };
  subscribe('undici:client:beforeConnect', stall);
}

/** As on a machine that is suspended: the monotonic clock stands still, and the wall clock is set forward. */
class SuspendableClock extends SystemClock {
  private suspendedMs = 0;

  suspend(ms: number): void {
    this.suspendedMs += ms;
  }

  override now(): Date {
    return new Date(Date.now() + this.suspendedMs);
  }
}

/** How soon what ended in an unknown outcome may be claimed again, at most. */
const CLAIMABLE_AFTER_MS = 2_000;
const QUARANTINE_MS = 60_000;
/** What Notion takes where a test does something else before it responds. */
const SLOW_MS = 2_000;

/** What refreshing must do on every engine: a real application, a real database, a real HTTP upstream. */
export function refreshContract(engine: StorageEngine): void {
  describe(`refreshing on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    const apps: NotionApp[] = [];

    beforeAll(async () => {
      simulator = await NotionSimulator.start();
    });

    // A database for each test: what one of them does to the whole client must not hold back the next.
    beforeEach(async () => {
      storage = await databaseFor(engine);
    });

    afterEach(async () => {
      await Promise.all(apps.splice(0).map((app) => app.close()));
      await storage.drop();
      simulator.reset();
    });

    afterAll(async () => {
      await simulator.close();
    });

    async function startApp(options: NotionAppOptions = {}): Promise<NotionApp> {
      const app = await NotionApp.start(simulator, { ...storage.options, ...options });
      apps.push(app);
      return app;
    }

    async function connected(
      app: NotionApp,
    ): Promise<{ granted: SimulatedAuthorization; authorization: Authorization }> {
      const granted = simulator.grant();
      return { granted, authorization: await app.keep(granted) };
    }

    async function storedIsLive(app: NotionApp, id: string, botId: string): Promise<boolean> {
      const stored = await app.store.readAccessToken(id);
      return stored?.token?.reveal() === simulator.ledger.live(botId).accessToken;
    }

    it('hands out the stored token without asking Notion for anything', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      const mark = simulator.ledger.mark();
      const token = await app.tokens.getAccessToken(authorization.id);
      expect(token.reveal()).toBe(granted.accessToken);
      expect(token.version).toBe(authorization.version);
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
    });

    it('sends one refresh when a thousand calls meet a dead token, twice in a row', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      const client = app.clients.forAuthorization(authorization.id);
      for (const round of [1, 2]) {
        simulator.expireAccessToken(granted.botId);
        const mark = simulator.ledger.mark();
        const answers = await Promise.all(Array.from({ length: 1_000 }, () => client.users.me({})));
        expect(answers).toHaveLength(1_000);
        const since = simulator.ledger.since(mark);
        expect(since.refreshes(granted.botId)).toBe(1);
        expect(since.apiCalls({ status: 401 })).toBeLessThanOrEqual(50);
        expect((await app.find(authorization.id)).version).toBe(authorization.version + round);
        expect(await storedIsLive(app, authorization.id, granted.botId)).toBe(true);
      }
    });

    it('sends one refresh when three applications on one database meet the same dead token', async () => {
      const replicas = [await startApp(), await startApp(), await startApp()];
      const { granted, authorization } = await connected(replicas[0]!);
      simulator.configure({ delayMs: { token: 100 } });
      simulator.expireAccessToken(granted.botId);
      const mark = simulator.ledger.mark();
      const calls = replicas.flatMap((app) => {
        const client = app.clients.forAuthorization(authorization.id);
        return Array.from({ length: 50 }, () => client.users.me({}));
      });
      await Promise.all(calls);
      expect(simulator.ledger.since(mark).refreshes(granted.botId)).toBe(1);
      expect(simulator.ledger.since(mark).overlappingRefreshes()).toBe(0);
    });

    it('takes the pair that another application has stored, without a refresh of its own', async () => {
      const [first, second] = [await startApp(), await startApp()];
      const { granted, authorization } = await connected(first);
      const old = await second.tokens.getAccessToken(authorization.id);
      await first.refreshes.refresh(authorization.id, { trigger: 'manual' });
      const mark = simulator.ledger.mark();
      const newer = await second.tokens.getAccessToken(authorization.id, { rejected: old });
      expect(newer.version).toBe(old.version + 1);
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
      expect(simulator.ledger.isLive(newer.reveal())).toBe(true);
      expect(granted.accessToken).not.toBe(newer.reveal());
    });

    it('leaves a row alone that has moved past the version that failed', async () => {
      const app = await startApp();
      const { authorization } = await connected(app);
      await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      const mark = simulator.ledger.mark();
      const outcome = await app.refreshes.refresh(authorization.id, {
        trigger: 'unauthorized',
        seenVersion: authorization.version,
      });
      expect(outcome).toEqual({ kind: 'followed', version: authorization.version + 1 });
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
    });

    it('asks for a reconnect when the person has revoked, and sends nothing more', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      const client = app.clients.forAuthorization(authorization.id);
      simulator.revokeGrant(granted.botId);
      await expect(client.users.me({})).rejects.toMatchObject({
        code: 'notion_reconnect_required',
        reason: 'revoked_or_expired',
      });
      expect(await app.find(authorization.id)).toMatchObject({
        status: 'needs_reconnect',
        reason: 'revoked_or_expired',
      });
      const mark = simulator.ledger.mark();
      const calls = await Promise.allSettled(Array.from({ length: 20 }, () => client.users.me({})));
      expect(calls.every((call) => call.status === 'rejected')).toBe(true);
      expect(simulator.ledger.since(mark).requests()).toEqual([]);
    });

    it('asks for a reconnect when the token is dead and there never was a refresh token', async () => {
      const app = await startApp();
      simulator.configure({ refreshTokens: 'null' });
      const { granted, authorization } = await connected(app);
      const client = app.clients.forAuthorization(authorization.id);
      await client.users.me({});
      simulator.expireAccessToken(granted.botId);
      await expect(client.users.me({})).rejects.toMatchObject({ reason: 'no_refresh_token' });
      expect(await app.find(authorization.id)).toMatchObject({
        status: 'needs_reconnect',
        reason: 'no_refresh_token',
      });
      expect(simulator.ledger.refreshes(granted.botId)).toBe(0);
    });

    it('comes back to life under its old id when the person connects again', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      const client = app.clients.forAuthorization(authorization.id);
      simulator.revokeGrant(granted.botId);
      await expect(client.users.me({})).rejects.toMatchObject({ code: 'notion_reconnect_required' });
      const again = simulator.grant({
        workspace: granted.workspaceId,
        person: granted.ownerUserId ?? undefined,
      });
      const reconnected = await app.keep(again);
      expect(reconnected).toMatchObject({ id: authorization.id, status: 'active', reason: null });
      await expect(client.users.me({})).resolves.toMatchObject({ object: 'user' });
    });

    it('gives up neither status nor token when Notion refuses the client itself', async () => {
      const app = await startApp();
      const all = await Promise.all(Array.from({ length: 10 }, () => connected(app)));
      const rightSecret = simulator.clientSecret;
      simulator.rotateClientSecret('another-secret-that-we-do-not-have');
      try {
        const outcomes = await Promise.all(
          all.map(({ authorization }) => app.refreshes.refresh(authorization.id, { trigger: 'manual' })),
        );
        // Whoever is first finds out, and holds back those that have not sent by then.
        const kinds = outcomes.map(({ kind }) => kind);
        expect(kinds).toContain('configuration');
        expect(kinds.filter((kind) => kind !== 'configuration' && kind !== 'postponed')).toEqual([]);
        for (const { granted, authorization } of all) {
          expect((await app.find(authorization.id)).status).toBe('active');
          expect(await storedIsLive(app, authorization.id, granted.botId)).toBe(true);
        }
      } finally {
        simulator.rotateClientSecret(rightSecret);
      }
    });

    it.each([
      ['an HTML page', { kind: 'html', status: 502 }],
      ['a server error', { kind: 'status', status: 500 }],
      ['a truncated answer', { kind: 'truncate' }],
      ['a dropped connection before it was processed', { kind: 'drop_before' }],
    ] as const)('recovers by itself after %s', async (_, fault) => {
      const app = await startApp();
      simulator.configure({ rotation: 'reuse_kills_family' });
      const { granted, authorization } = await connected(app);
      const before = simulator.ledger.live(granted.botId);
      simulator.fail('token', fault, { times: 1 });
      const outcome = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(outcome.kind).toBe('unknown');
      expect((await app.find(authorization.id)).status).toBe('active');
      const rotated = simulator.ledger.live(granted.botId).refreshToken !== before.refreshToken;
      await letTimePass(app, CLAIMABLE_AFTER_MS);
      const next = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(next.kind).toBe(rotated ? 'unknown' : 'renewed');
      expect(simulator.ledger.replaysOfSpentTokens(granted.botId)).toBe(0);
      expect((await app.find(authorization.id)).status).toBe('active');
    });

    it('never presents a token again that an unanswered attempt may have spent, before its quarantine is over', async () => {
      const app = await startApp({
        refresh: {
          leaseMs: 4_000,
          requestTimeoutMs: 1_000,
          leaseMarginMs: 100,
          quarantineMs: QUARANTINE_MS,
          restartGraceMs: 1,
        },
      });
      simulator.configure({ rotation: 'reuse_kills_family' });
      const { granted, authorization } = await connected(app);
      simulator.fail('token', { kind: 'drop_after' }, { times: 1 });
      const first = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(first.kind).toBe('unknown');
      await letTimePass(app, CLAIMABLE_AFTER_MS);
      const second = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(second.kind).toBe('unknown');
      await letTimePass(app, QUARANTINE_MS);
      const third = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(third).toMatchObject({ kind: 'needs_reconnect', reason: 'lost_rotation' });
      expect(simulator.ledger.replaysOfSpentTokens(granted.botId)).toBe(0);
    });

    it('uses the old access token after a lost rotation until Notion rejects it once, in every process', async () => {
      simulator.configure({ oldAccessToken: 'lives' });
      const refresh = { quarantineMs: QUARANTINE_MS, restartGraceMs: 1, maxTokenAgeMs: 1 };
      const apps = [await startApp({ refresh }), await startApp({ refresh })] as const;
      const { granted, authorization } = await connected(apps[0]);
      const call = (app: NotionApp) => app.clients.forAuthorization(authorization.id).users.me({});
      simulator.fail('token', { kind: 'drop_after' }, { times: 1 });
      await apps[0].refreshes.refresh(authorization.id, { trigger: 'manual' });
      await letTimePass(apps[0], QUARANTINE_MS);
      const lost = await apps[0].refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(lost).toMatchObject({ kind: 'needs_reconnect', reason: 'lost_rotation' });

      for (const app of apps) await expect(call(app)).resolves.toMatchObject({ id: granted.botId });

      simulator.expireAccessToken(granted.botId);
      const mark = simulator.ledger.mark();
      for (const app of [...apps, ...apps])
        await expect(call(app)).rejects.toMatchObject({
          code: 'notion_reconnect_required',
          reason: 'lost_rotation',
        });
      expect(simulator.ledger.since(mark).requests()).toHaveLength(1);
    });

    it('sends nothing when its claim is nearly over by the time the connection stands', async () => {
      const app = await startApp({ refresh: { leaseMs: 2_000, requestTimeoutMs: 500, leaseMarginMs: 500 } });
      const { granted, authorization } = await connected(app);
      stallOnceBeforeConnecting(1_300);
      const outcome = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(outcome).toMatchObject({ kind: 'not_sent', failure: { code: 'claim_nearly_over' } });
      expect(simulator.ledger.refreshes(granted.botId)).toBe(0);
      await letTimePass(app, CLAIMABLE_AFTER_MS);
      expect((await app.refreshes.refresh(authorization.id, { trigger: 'manual' })).kind).toBe('renewed');
      expect(simulator.ledger.refreshes(granted.botId)).toBe(1);
    });

    it('sends nothing when the machine was suspended for longer than its claim', async () => {
      const clock = new SuspendableClock();
      const app = await startApp({
        refresh: { leaseMs: 120_000 },
        providers: [{ provide: Clock, useValue: clock }],
      });
      const { granted, authorization } = await connected(app);
      const suspend = () => {
        unsubscribe('undici:client:beforeConnect', suspend);
        clock.suspend(60_000);
      };
      subscribe('undici:client:beforeConnect', suspend);
      const outcome = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(outcome).toMatchObject({ kind: 'not_sent', failure: { code: 'claim_nearly_over' } });
      expect(simulator.ledger.refreshes(granted.botId)).toBe(0);
    });

    it('serves others while callers wait for claims of another process, more of them than slots', async () => {
      const app = await startApp({ refresh: { maxConcurrent: 2, maxQueued: 4 } });
      const elsewhere = await startApp();
      const callers = new AbortController();
      const waiting = [];
      for (let stuck = 0; stuck < 4; stuck += 1) {
        const { id: authorizationId } = (await connected(app)).authorization;
        const request = { authorizationId, trigger: 'manual', seenVersion: 1, leaseMs: 120_000 } as const;
        await elsewhere.store.claim(request);
        const claim = jest.spyOn(app.store, 'claim');
        waiting.push(
          app.refreshes.refresh(authorizationId, {
            trigger: 'unauthorized',
            seenVersion: 1,
            signal: callers.signal,
            waitTimeoutMs: 600_000,
          }),
        );
        while (claim.mock.results.length === 0) await new Promise(setImmediate);
        expect(await claim.mock.results[0]?.value).toMatchObject({ kind: 'claimed_elsewhere' });
        claim.mockRestore();
      }
      const left = Promise.allSettled(waiting);
      const others = await Promise.all(Array.from({ length: 4 }, () => connected(app)));
      const outcomes = await Promise.all(
        others.map(({ authorization }) => app.refreshes.refresh(authorization.id, { trigger: 'manual' })),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(4).fill('renewed'));
      callers.abort(new Error('left'));
      await left;
    });

    it('serves others while requests hang in every slot', async () => {
      const app = await startApp({ refresh: { maxConcurrent: 1, requestTimeoutMs: 7_000 } });
      const [hanging, other] = [await connected(app), await connected(app)];
      const fault = simulator.fail(
        'refresh',
        { kind: 'drop_before', afterMs: 60_000 },
        { botId: hanging.granted.botId },
      );
      const caller = new AbortController();
      const left = app.refreshes
        .refresh(hanging.authorization.id, { trigger: 'manual', signal: caller.signal })
        .catch(() => 'left');
      while (fault.hits === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      const outcome = await app.refreshes.refresh(other.authorization.id, { trigger: 'manual' });
      expect(outcome).toMatchObject({ kind: 'renewed' });
      caller.abort(new Error('left'));
      await left;
    });

    it('keeps the old refresh token when a refresh answers without one', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      simulator.configure({ refreshTokenOnRefresh: 'null' });
      await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(await app.find(authorization.id)).toMatchObject({ hasRefreshToken: true, status: 'active' });
      simulator.configure({ refreshTokenOnRefresh: 'rotated' });
      const again = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(again.kind).toBe('renewed');
      expect(await storedIsLive(app, authorization.id, granted.botId)).toBe(true);
    });

    it('waits as long as Notion asked after a 429, without another request', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      simulator.fail('token', { kind: 'status', status: 429, retryAfter: 30 }, { times: 1 });
      const first = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(first.kind).toBe('not_processed');
      const second = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(second.kind === 'postponed' && second.retryInMs > 20_000).toBe(true);
      expect(simulator.ledger.refreshes(granted.botId)).toBe(1);
    });

    it('stores an answer that comes after its caller has given up', async () => {
      const app = await startApp({ refresh: { callerWaitMs: 100 } });
      const { granted, authorization } = await connected(app);
      simulator.configure({ delayMs: { token: SLOW_MS } });
      const outcome = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
      expect(outcome).toEqual({ kind: 'busy' });
      await until(async () => (await app.find(authorization.id)).version === authorization.version + 1);
      expect(await storedIsLive(app, authorization.id, granted.botId)).toBe(true);
    });

    it('ends only the wait of a caller who aborts', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      simulator.configure({ delayMs: { token: SLOW_MS } });
      const caller = new AbortController();
      const old = await app.tokens.getAccessToken(authorization.id);
      const aborted = app.tokens.getAccessToken(authorization.id, { rejected: old, signal: caller.signal });
      const patient = app.tokens.getAccessToken(authorization.id, { rejected: old });
      await until(() => simulator.ledger.refreshes(granted.botId) === 1);
      caller.abort(new Error('left'));
      await expect(aborted).rejects.toThrow('left');
      expect((await patient).version).toBe(old.version + 1);
      expect(simulator.ledger.refreshes(granted.botId)).toBe(1);
    });

    it('lets a reconnect win over a refresh that is under way', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      const { refreshing } = await refreshUnderWay(app, authorization);
      const again = simulator.grant({
        workspace: granted.workspaceId,
        person: granted.ownerUserId ?? undefined,
      });
      await app.keep(again);
      expect(await refreshing).toEqual({ kind: 'followed', version: authorization.version + 1 });
      const token = await app.tokens.getAccessToken(authorization.id);
      expect(token.reveal()).toBe(again.accessToken);
    });

    it('lets a disconnect win over a refresh that is under way, and revokes the late pair', async () => {
      const app = await startApp();
      const { granted, authorization } = await connected(app);
      simulator.configure({ revocation: 'token' });
      const { refreshing } = await refreshUnderWay(app, authorization);
      await app.connect.disconnect(authorization.id, OWNER);
      expect(await refreshing).toEqual({ kind: 'revoked' });
      expect((await app.find(authorization.id)).status).toBe('revoked');
      expect(simulator.ledger.live(granted.botId).accessToken).toBeNull();
    });

    it('is told by an unknown id that there is no such authorization', async () => {
      const app = await startApp();
      const unknown = '00000000-0000-4000-8000-000000000000';
      await expect(app.tokens.getAccessToken(unknown)).rejects.toMatchObject({
        code: 'notion_authorization_not_found',
      });
      await expect(app.refreshes.refresh(unknown, { trigger: 'manual' })).rejects.toMatchObject({
        code: 'notion_authorization_not_found',
      });
    });

    /** What is stored is that much longer ago. */
    async function letTimePass(app: NotionApp, ms: number): Promise<void> {
      const times = ['lease_until', 'next_attempt_at', 'unresolved_since', 'attempt_started_at'];
      const earlier = times.map((column) => `${column} = ${column} - ${String(ms)}`).join(', ');
      await app.database.dataSource.query(`UPDATE notion_authorization SET ${earlier}`);
    }

    /** A refresh that waits for Notion, which takes its time: a test must not be slower than it. */
    async function refreshUnderWay(app: NotionApp, { id }: Authorization) {
      simulator.configure({ delayMs: { token: SLOW_MS } });
      const mark = simulator.ledger.mark();
      const refreshing = app.refreshes.refresh(id, { trigger: 'manual' });
      await until(() => simulator.ledger.since(mark).refreshes() === 1);
      return { refreshing };
    }

    async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
}
