import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Authorization, NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { ConnectReplica } from '../../proofs/harness/connect.replica.js';
import { CONNECT_PROGRAM } from '../support/connect.program.js';
import { databaseFor, NotionApp, REDIRECT_URI } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';
import { TestBrowser } from '../support/test-browser.js';

/** How long the database hesitates inside the transaction that keeps a grant. */
const STALL_MS = 3_000;

export interface ConnectProcessEngine extends StorageEngine {
  /** Statements after which every insert of an owner's link takes `STALL_MS` at least, and those that undo them. */
  readonly stall: (ms: number) => readonly string[];
  readonly unstall: readonly string[];
}

/** What connecting must do when several processes serve it, and when one of them is killed. */
export function connectProcessContract(engine: ConnectProcessEngine): void {
  describe(`connecting over processes on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: NotionApp;
    let options: NotionAuthOptions;
    const replicas: ConnectReplica[] = [];

    beforeAll(async () => {
      simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
      storage = await databaseFor(engine);
      options = {
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        ...storage.options,
      };
      app = await NotionApp.start(simulator, options);
      for (let count = 0; count < 3; count += 1)
        replicas.push(await ConnectReplica.start(CONNECT_PROGRAM, options));
    }, 60_000);

    afterAll(async () => {
      for (const replica of replicas) await replica.kill();
      await app.close();
      await storage.drop();
      await simulator.close();
    });

    async function execute(...statements: readonly string[]): Promise<unknown[]> {
      const answers: unknown[] = [];
      for (const statement of statements) answers.push(await app.database.dataSource.query(statement));
      return answers;
    }

    async function start(by: TestBrowser, person?: string): Promise<string> {
      const { location } = await by.get('/notion/connect');
      const callback = new URL(simulator.allow(location, { person }));
      return callback.pathname + callback.search;
    }

    /** The same browser, led to another process by the load balancer. */
    function at(replica: ConnectReplica, { cookies, user }: TestBrowser): TestBrowser {
      const moved = new TestBrowser(replica.url, user);
      for (const [name, value] of cookies) moved.cookies.set(name, value);
      return moved;
    }

    it('A7, A30: sends the code of fifty parallel replays to three processes once, and leads all of them back', async () => {
      const browser = new TestBrowser(replicas[0]!.url, 'owner-replayed');
      const callback = await start(browser);
      const mark = simulator.ledger.mark();
      const pages = await Promise.all(
        Array.from({ length: 50 }, (_, n) => at(replicas[n % 3]!, browser).get(callback)),
      );
      expect(simulator.ledger.since(mark).tokenRequests()).toBe(1);
      expect(new Set(pages.map(({ status, location }) => `${status} ${location}`))).toEqual(
        new Set(['303 /']),
      );
      expect(await app.connect.list('owner-replayed')).toHaveLength(1);
    });

    it('B15: keeps nothing of a grant when its process is killed before the commit', async () => {
      const doomed = replicas[2]!;
      const browser = new TestBrowser(doomed.url, 'owner-killed');
      const { ownerUserId } = simulator.grant();
      const callback = await start(browser, ownerUserId!);
      const rowsBefore = await countRows();
      await execute(...engine.stall(STALL_MS));
      const mark = simulator.ledger.mark();
      const lost = browser.get(callback).catch((error: unknown) => error);
      const exchanged = () => simulator.ledger.since(mark).requests({ grantType: 'authorization_code' });
      while (exchanged()[0]?.status !== 200) await sleep(20);
      await sleep(500);
      await doomed.kill();
      expect(await lost).toMatchObject({ code: 'ECONNRESET' });
      // A server notices only then that nobody waits for the statement any more.
      await sleep(engine.name === 'SQLite' ? 0 : STALL_MS);
      expect(await countRows()).toEqual(rowsBefore);
      await execute(...engine.unstall);
      expect(await app.connect.list('owner-killed')).toEqual([]);

      const again = at(replicas[0]!, browser);
      expect((await again.get(callback)).status).toBe(400);
      expect((await again.get(await start(again, ownerUserId!))).status).toBe(303);
      expect(await app.connect.list('owner-killed')).toMatchObject([{ status: 'active', version: 1 }]);
    }, 60_000);

    describe('with a journal', () => {
      const folders: string[] = [];

      afterAll(() => {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      });

      async function startJournaling(): Promise<{
        replica: ConnectReplica;
        restart: () => Promise<ConnectReplica>;
      }> {
        const folder = mkdtempSync(join(tmpdir(), 'notion-connect-journal-'));
        folders.push(folder);
        const journaling = { ...options, refresh: { callerWaitMs: 2_000, journalFolder: folder } };
        const restart = () => ConnectReplica.start(CONNECT_PROGRAM, journaling);
        return { replica: await restart(), restart };
      }

      /** Killed after Notion has exchanged the code, with the database away. */
      async function killBeforeCommit(
        replica: ConnectReplica,
        by: TestBrowser,
        person: string,
      ): Promise<void> {
        const visit = at(replica, by);
        const callback = await start(visit, person);
        await execute('ALTER TABLE notion_authorization RENAME TO notion_authorization_away');
        expect((await visit.get(callback)).status).toBe(202);
        await replica.kill();
        await execute('ALTER TABLE notion_authorization_away RENAME TO notion_authorization');
      }

      it('stores what a killed process had exchanged when a process replays its journal', async () => {
        const { replica, restart } = await startJournaling();
        const { ownerUserId } = simulator.grant();
        const browser = new TestBrowser(replica.url, 'owner-journaled');
        await killBeforeCommit(replica, browser, ownerUserId!);
        expect(await app.connect.list('owner-journaled')).toEqual([]);
        for (let restarts = 0; restarts < 2; restarts += 1) {
          const next = await restart();
          const [authorization] = await app.connect.list('owner-journaled');
          expect(authorization).toMatchObject({ status: 'active', version: 1 });
          const token = await app.tokens.getAccessToken(authorization!.id);
          expect(simulator.ledger.isLive(token.reveal())).toBe(true);
          await next.kill();
        }
      }, 60_000);

      it('does not bring back what was disconnected before the replay, and revokes its pair', async () => {
        const { replica, restart } = await startJournaling();
        const { ownerUserId } = simulator.grant();
        const browser = new TestBrowser(replica.url, 'owner-left');
        expect((await browser.get(await start(browser, ownerUserId!))).status).toBe(303);
        const [{ id, botId }] = (await app.connect.list('owner-left')) as unknown as [Authorization];
        await killBeforeCommit(replica, browser, ownerUserId!);
        await app.connect.disconnect(id, 'owner-left');
        const next = await restart();
        expect(await app.connect.list('owner-left')).toEqual([]);
        expect(simulator.ledger.live(botId)).toEqual({ accessToken: null, refreshToken: null });
        await next.kill();
      }, 60_000);
    });

    async function countRows(): Promise<unknown[]> {
      return execute(
        'SELECT count(*) AS rows_kept FROM notion_authorization',
        'SELECT count(*) AS rows_kept FROM notion_authorization_owner',
      );
    }
  });
}
