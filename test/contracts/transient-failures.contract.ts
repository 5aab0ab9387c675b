import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import type { Authorization } from 'nestjs-notion-auth';
import { databaseFor, NotionApp } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

/** A port that leads to `target`, and at which connections can be refused for a while. */
async function startForwarder(target: string) {
  const { hostname: host, port } = new URL(target);
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) });
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  const refuse = () => void server.close();
  return { url: `http://127.0.0.1:${String(own)}`, refuse, listenAgain: () => listen(own), close: refuse };
}

/** What passes within `refresh.callerWaitMs` costs no call; what does not fails at once and says how long it takes. */
export function transientFailuresContract(engine: StorageEngine): void {
  describe(`a transient failure of the token endpoint on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: NotionApp;
    let forwarder: Awaited<ReturnType<typeof startForwarder>>;
    let mark: ReturnType<NotionSimulator['ledger']['mark']>;

    beforeAll(async () => {
      simulator = await NotionSimulator.start({ modes: { rotation: 'reuse_kills_family' } });
    });

    beforeEach(async () => {
      storage = await databaseFor(engine);
      forwarder = await startForwarder(simulator.url);
      mark = simulator.ledger.mark();
      app = await NotionApp.start(simulator, { ...storage.options, apiBaseUrl: forwarder.url });
    });

    afterEach(async () => {
      await app.close();
      forwarder.close();
      await storage.drop();
      simulator.reset();
    });

    afterAll(async () => {
      await simulator.close();
    });

    /** Authorizations whose access token Notion accepts no longer. */
    async function withDeadTokens(count: number) {
      const granted = Array.from({ length: count }, () => simulator.grant());
      const kept = [];
      for (const [index, one] of granted.entries()) kept.push(await app.keep(one, `owner-${String(index)}`));
      for (const { botId } of granted) simulator.expireAccessToken(botId);
      return kept;
    }

    function call({ id }: Authorization, times: number) {
      const client = app.clients.forAuthorization(id, { retry: false });
      return Array.from({ length: times }, () => client.users.me({}));
    }

    const PASSING = [
      ['one 503', { kind: 'status', status: 503 }],
      ['one 429 with Retry-After: 1', { kind: 'status', status: 429, retryAfter: 1 }],
      ['one HTML 502', { kind: 'html', status: 502 }],
    ] as const;

    describe.each([1, 1_000])('with %i callers', (callers) => {
      it.each(PASSING)('costs no call: %s', async (_, fault) => {
        const [hit, other] = await withDeadTokens(2);
        simulator.fail('token', fault, { times: 1 });
        const responses = await Promise.all([...call(hit!, callers), ...call(other!, callers)]);
        expect(responses).toHaveLength(2 * callers);
        expect(simulator.ledger.since(mark).refreshes()).toBe(3);
        for (const { botId } of [hit!, other!]) {
          expect(simulator.ledger.replaysOfSpentTokens(botId)).toBe(0);
        }
        expect(simulator.ledger.since(mark).overlappingRefreshes()).toBe(0);
      });

      it('costs no call: one connection refused', async () => {
        const [hit] = await withDeadTokens(1);
        const rejected = await app.tokens.getAccessToken(hit!.id);
        const listenAgain = () => {
          unsubscribe('undici:client:connectError', listenAgain);
          void forwarder.listenAgain();
        };
        subscribe('undici:client:connectError', listenAgain);
        forwarder.refuse();
        const tokens = Array.from({ length: callers }, () =>
          app.tokens.getAccessToken(hit!.id, { rejected }),
        );
        for (const token of await Promise.all(tokens)) expect(token.version).toBe(rejected.version + 1);
        expect(simulator.ledger.since(mark).refreshes()).toBe(1);
      });

      it('fails at once, and says 60 seconds: 429 with Retry-After: 60', async () => {
        const [hit, other] = await withDeadTokens(2);
        simulator.fail('token', { kind: 'status', status: 429, retryAfter: 60 }, { times: 1 });
        const sinceMs = performance.now();
        const calls = await Promise.allSettled(call(hit!, callers));
        // The last of a thousand callers fails later, and its message says how much is left then.
        const passedSeconds = callers === 1 ? 0 : Math.ceil((performance.now() - sinceMs) / 1_000);
        for (const settled of calls) {
          const reason = settled.status === 'rejected' ? (settled.reason as Error) : null;
          expect(reason).toMatchObject({ code: 'notion_refresh_failed' });
          const seconds = Number(/Retry in (\d+) seconds\.$/.exec(reason?.message ?? '')?.[1]);
          expect(seconds).toBeLessThanOrEqual(60);
          expect(seconds).toBeGreaterThanOrEqual(60 - passedSeconds);
        }
        await expect(Promise.all(call(other!, 1))).rejects.toMatchObject({ kind: 'postponed' });
        expect(simulator.ledger.since(mark).refreshes()).toBe(1);
      });
    });

    it('waits for an open breaker whose time ends within the wait', async () => {
      const [hit, other] = await withDeadTokens(2);
      simulator.fail('token', { kind: 'status', status: 429, retryAfter: 2 }, { times: 1 });
      const outcome = await app.refreshes.refresh(hit!.id, { trigger: 'manual' });
      expect(outcome).toMatchObject({ kind: 'not_processed' });
      await expect(Promise.all(call(other!, 1))).resolves.toHaveLength(1);
    });

    it('serves the stored token without waiting where only the application wants a younger one', async () => {
      const young = await NotionApp.start(simulator, {
        ...app.options,
        refresh: { maxTokenAgeMs: 1, callerWaitMs: 600_000 },
      });
      try {
        const granted = simulator.grant();
        const { id } = await young.keep(granted);
        simulator.fail('token', { kind: 'status', status: 429, retryAfter: 300 }, { times: 1 });
        expect((await young.tokens.getAccessToken(id)).reveal()).toBe(granted.accessToken);
      } finally {
        await young.close();
      }
    });
  });
}
