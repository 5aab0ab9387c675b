import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { ConnectReplica } from '../../proofs/harness/connect.replica.js';
import { CONNECT_PROGRAM } from '../support/connect.program.js';
import { databaseFor, NotionApp, REDIRECT_URI } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

const PROCESSES = 4;
const OWNERS = 100;
const CALLS_PER_OWNER = 10;

interface Tenant {
  readonly owner: string;
  readonly id: string;
  readonly granted: SimulatedAuthorization;
}

/** What many owners at once must not notice of each other. Needs the build (`npm test` makes it). */
export function tenancyContract(engine: StorageEngine): void {
  describe(`many owners over four processes on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: NotionApp;
    const replicas: ConnectReplica[] = [];

    beforeAll(async () => {
      simulator = await NotionSimulator.start();
      storage = await databaseFor(engine);
      const options: NotionAuthOptions = {
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        // Whose token a call is sent with is asked here, not how soon: five busy processes share what cores there are.
        refresh: { callerWaitMs: 60_000 },
        outbound: { callTimeoutMs: 90_000 },
        ...storage.options,
      };
      app = await NotionApp.start(simulator, options);
      for (let count = 0; count < PROCESSES; count += 1)
        replicas.push(await ConnectReplica.start(CONNECT_PROGRAM, options));
    }, 60_000);

    afterAll(async () => {
      for (const replica of replicas) await replica.kill();
      await app.close();
      await storage.drop();
      await simulator.close();
    });

    async function tenants(): Promise<Tenant[]> {
      return Promise.all(
        Array.from({ length: OWNERS }, async (_, n) => {
          const granted = simulator.grant();
          return { owner: `owner-${n}`, id: (await app.keep(granted, `owner-${n}`)).id, granted };
        }),
      );
    }

    async function call({ owner, id }: Tenant, replica: ConnectReplica): Promise<unknown> {
      const answer = await fetch(`${replica.url}/authorizations/${id}/call`, {
        headers: { 'x-session-user': owner },
      });
      return answer.json();
    }

    it('F7: send each of 1,000 calls at once with the token of its owner, also while tokens are renewed', async () => {
      const all = await tenants();
      const botOf = new Map(all.map(({ id, granted }) => [`/v1/pages/${id}`, granted.botId]));
      // Every second token is dead, so that renewals of many owners are under way among the calls.
      const dead = all.filter((_, n) => n % 2 === 0);
      for (const { granted } of dead) simulator.expireAccessToken(granted.botId);
      const mark = simulator.ledger.mark();
      const calls = Array.from({ length: CALLS_PER_OWNER }, (_, n) => n).flatMap((n) =>
        all.map((tenant, index) => ({ tenant, replica: replicas[(n + index) % PROCESSES]! })),
      );
      const answers = await Promise.all(calls.map(({ tenant, replica }) => call(tenant, replica)));
      expect(answers).toEqual(calls.map(({ tenant }) => ({ id: tenant.id, status: 404 })));
      const since = simulator.ledger.since(mark);
      const sent = since.requests({ endpoint: 'api' });
      expect(sent.filter(({ status }) => status === 404)).toHaveLength(OWNERS * CALLS_PER_OWNER);
      expect(sent.filter(({ path, botId }) => botId === null || botId !== botOf.get(path))).toEqual([]);
      expect(since.refreshes()).toBe(dead.length);
      for (const { granted } of dead) expect(since.refreshes(granted.botId)).toBe(1);
    }, 120_000);

    it('F1: none of four processes lends an owner the authorization of another', async () => {
      const [mine, theirs] = (await tenants()) as [Tenant, Tenant];
      const mark = simulator.ledger.mark();
      for (const replica of replicas) {
        // Theirs is in the process's cache by then.
        expect(await call(theirs, replica)).toMatchObject({ id: theirs.id });
        expect(await call({ ...theirs, owner: mine.owner }, replica)).toMatchObject({
          code: 'notion_authorization_not_found',
        });
      }
      expect(simulator.ledger.since(mark).apiCalls()).toBe(PROCESSES);
    });
  });
}
