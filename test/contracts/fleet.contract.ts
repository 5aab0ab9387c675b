import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Replica } from '../../proofs/harness/replica.js';
import { databaseFor, NotionApp, REDIRECT_URI } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

const REPLICA_PROCESS = resolve(import.meta.dirname, '../../build/proofs/harness/replica.process.js');
const REPLICAS = 4;
const CALLS = 1_000;

/** What several processes on one database must do together. Needs the build (`npm test` makes it). */
export function fleetContract(engine: StorageEngine): void {
  describe(`four processes on one ${engine.name} database`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: NotionApp;
    let replicas: Replica[];

    beforeAll(async () => {
      simulator = await NotionSimulator.start();
      storage = await databaseFor(engine);
      const options: NotionAuthOptions = {
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: [{ id: 'fleet', key: randomBytes(32).toString('base64') }],
        ...storage.options,
      };
      app = await NotionApp.start(simulator, options);
      replicas = await Promise.all(
        Array.from({ length: REPLICAS }, () => Replica.start(REPLICA_PROCESS, options)),
      );
    });

    afterAll(async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await app.close();
      await storage.drop();
      await simulator.close();
    });

    it.each(['the first', 'the second'])(
      'send one refresh for %s dead token that 1,000 calls meet, and fail none',
      async () => {
        const granted = simulator.grant();
        const authorization = await app.keep(granted);
        simulator.expireAccessToken(granted.botId);
        const mark = simulator.ledger.mark();
        const reports = await Promise.all(
          replicas.map((replica) => replica.call(authorization.id, CALLS / REPLICAS)),
        );
        expect(reports.map((report) => report.failures)).toEqual(replicas.map(() => ({})));
        expect(reports.reduce((sum, report) => sum + report.succeeded, 0)).toBe(CALLS);
        const since = simulator.ledger.since(mark);
        expect(since.refreshes()).toBe(1);
        expect(since.overlappingRefreshes()).toBe(0);
        const stored = await app.store.readAccessToken(authorization.id);
        expect(stored?.token?.reveal()).toBe(simulator.ledger.live(granted.botId).accessToken);
      },
    );
  });
}
