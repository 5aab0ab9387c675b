import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RevocationOutbox, type PendingRevocation, type RevocationOptions } from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { Replica } from '../../proofs/harness/replica.js';
import { TypeOrmRevocationOutbox } from '../../src/storage/typeorm-revocation.outbox.js';
import { databaseFor, NotionApp, OWNER, REDIRECT_URI, type NotionAppOptions } from '../support/notion-app.js';
import { temporaryFolder, type StorageEngine } from '../support/storage.harness.js';

const REPLICA_PROCESS = resolve(import.meta.dirname, '../../build/proofs/harness/replica.process.js');
const KEYS = [{ id: 'k1', key: randomBytes(32).toString('base64') }];
const PATIENT: RevocationOptions = { waitMs: 30_000, firstRetryMs: 20, lookEveryMs: 50 };
/** What Notion takes where a test does something else before it responds. */
const SLOW_MS = 3_000;
/** The timer does not come round within a test. */
const WITHOUT_TIMER: RevocationOptions = { ...PATIENT, lookEveryMs: 3_600_000 };

/** A process whose claimed revocations wait before their last check, which then fails with `failure`. */
function holdRevocations(failure: Error | null = null) {
  let release = (): void => undefined;
  let reach = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const areClaimed = new Promise<void>((resolve) => (reach = resolve));
  class HeldOutbox extends TypeOrmRevocationOutbox {
    override async renewClaim(revocation: PendingRevocation): Promise<boolean> {
      reach();
      await released;
      if (failure !== null) throw failure;
      return super.renewClaim(revocation);
    }
  }
  const options: NotionAppOptions = { providers: [{ provide: RevocationOutbox, useClass: HeldOutbox }] };
  return {
    options,
    areClaimed,
    release: () => {
      release();
    },
  };
}

/** What a disconnect must come to at Notion. Needs the build (`npm test` makes it). */
export function disconnectContract(engine: StorageEngine): void {
  describe(`a disconnect on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    const opened: NotionApp[] = [];

    beforeAll(async () => {
      simulator = await NotionSimulator.start();
      storage = await databaseFor(engine);
    });

    beforeEach(() => {
      simulator.reset();
    });

    afterEach(async () => {
      for (const app of opened.splice(0)) await app.close();
    });

    afterAll(async () => {
      await storage.drop();
      await simulator.close();
    });

    async function startApp(revocation = PATIENT, more: NotionAppOptions = {}): Promise<NotionApp> {
      const app = await NotionApp.start(simulator, {
        encryptionKeys: KEYS,
        ...storage.options,
        revocation,
        ...more,
      });
      opened.push(app);
      return app;
    }

    async function connected(app: NotionApp) {
      const granted = simulator.grant();
      return { granted, id: (await app.keep(granted)).id };
    }

    const notionIsDown = () => simulator.fail('revoke', { kind: 'status', status: 503 });

    async function waiting(app: NotionApp, id: string): Promise<number> {
      const rows = await execute(app, `SELECT id FROM notion_revocation WHERE authorization_id = '${id}'`);
      return (rows as unknown[]).length;
    }

    function execute(app: NotionApp, statement: string): Promise<unknown> {
      return app.database.dataSource.query(statement);
    }

    /** The person connects the same grant once more. */
    async function connectedAgain(app: NotionApp, id: string, granted: SimulatedAuthorization) {
      const again = simulator.grant({ workspace: granted.workspaceId, person: granted.ownerUserId! });
      expect((await app.keep(again)).id).toBe(id);
      return again;
    }

    /** Another process sends what is due when it starts, and ends once that is done. */
    async function lookOnce(): Promise<void> {
      const other = await startApp(WITHOUT_TIMER);
      opened.splice(opened.indexOf(other), 1);
      await other.close();
    }

    const isDead = ({ botId }: SimulatedAuthorization) => {
      const { accessToken, refreshToken } = simulator.ledger.live(botId);
      return accessToken === null && refreshToken === null;
    };

    async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await isSo())) await sleep(20);
    }

    it('says revoked once Notion has confirmed, and keeps nothing', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoked');
      expect(isDead(granted)).toBe(true);
      expect(await waiting(app, id)).toBe(0);
    });

    it('says revoke_pending while Notion is down, and revokes when it is back', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      const outage = notionIsDown();
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      expect(await waiting(app, id)).toBe(2);
      expect(isDead(granted)).toBe(false);
      outage.clear();
      await until(async () => (await waiting(app, id)) === 0);
      expect(isDead(granted)).toBe(true);
    });

    it('keeps nobody waiting for a slow Notion, whose confirmation counts all the same', async () => {
      const app = await startApp({ ...WITHOUT_TIMER, waitMs: 100 });
      const { granted, id } = await connected(app);
      simulator.configure({ delayMs: { revoke: SLOW_MS } });
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      // Notion has not responded by then.
      expect(await waiting(app, id)).toBe(2);
      await until(async () => (await waiting(app, id)) === 0);
      expect(isDead(granted)).toBe(true);
    });

    it('J3: leaves to the outbox what is too much to ask Notion at once', async () => {
      const app = await startApp({ ...PATIENT, maxConcurrent: 1 });
      const [first, second] = [await connected(app), await connected(app)];
      const slow = simulator.fail('revoke', { kind: 'delay', ms: SLOW_MS, processed: true }, { times: 2 });
      const mark = simulator.ledger.mark();
      const asking = app.connect.disconnect(first.id, OWNER);
      await until(() => simulator.ledger.since(mark).revocations() === 2);
      expect(await app.connect.disconnect(second.id, OWNER)).toBe('revoke_pending');
      expect(simulator.ledger.since(mark).revocations()).toBe(2);
      expect(await asking).toBe('revoked');
      slow.clear();
      expect(await waiting(app, second.id)).toBe(2);
      // The claim that it was given for an attempt of its own comes to its end.
      await execute(app, 'UPDATE notion_revocation SET next_attempt_at = 0');
      await until(async () => (await waiting(app, second.id)) === 0);
      expect(isDead(second.granted)).toBe(true);
    });

    it('says local_only when there is nothing to revoke with', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      await execute(
        app,
        `UPDATE notion_authorization SET sealed_access_token = 'lost', sealed_refresh_token = 'lost' WHERE id = '${id}'`,
      );
      const mark = simulator.ledger.mark();
      expect(await app.connect.disconnect(id, OWNER)).toBe('local_only');
      expect(simulator.ledger.since(mark).revocations()).toBe(0);
      expect(isDead(granted)).toBe(false);
      expect((await app.find(id)).status).toBe('revoked');
    });

    it('gives up after the attempts it may make, and erases the tokens', async () => {
      const app = await startApp({ ...PATIENT, maxAttempts: 3 });
      const { id } = await connected(app);
      notionIsDown();
      const mark = simulator.ledger.mark();
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      await until(async () => (await waiting(app, id)) === 0);
      expect(simulator.ledger.since(mark).revocations()).toBe(6);
    });

    it('says local_only at once where it may try no more than once', async () => {
      const app = await startApp({ ...PATIENT, maxAttempts: 1 });
      const { id } = await connected(app);
      notionIsDown();
      expect(await app.connect.disconnect(id, OWNER)).toBe('local_only');
      expect(await waiting(app, id)).toBe(0);
    });

    it('asks Notion once for each token, however many processes see it due', async () => {
      const apps = [await startApp(WITHOUT_TIMER)];
      const { granted, id } = await connected(apps[0]!);
      const outage = notionIsDown();
      expect(await apps[0]!.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      outage.clear();
      await execute(apps[0]!, 'UPDATE notion_revocation SET next_attempt_at = 0');
      const mark = simulator.ledger.mark();
      await Promise.all([lookOnce(), lookOnce(), lookOnce()]);
      expect(await waiting(apps[0]!, id)).toBe(0);
      expect(simulator.ledger.since(mark).revocations()).toBe(2);
      expect(isDead(granted)).toBe(true);
    });

    it('is not lost with the process that disconnected: the next one tells Notion', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      const { clientId, clientSecret, url: apiBaseUrl } = simulator;
      const replica = await Replica.start(REPLICA_PROCESS, {
        clientId,
        clientSecret,
        apiBaseUrl,
        redirectUris: [REDIRECT_URI],
        encryptionKeys: KEYS,
        revocation: WITHOUT_TIMER,
        ...storage.options,
      });
      const hanging = simulator.fail(
        'revoke',
        { kind: 'delay', ms: 5_000, processed: false },
        { times: Infinity },
      );
      const mark = simulator.ledger.mark();
      const answer = replica.disconnect(id, OWNER).catch(() => 'killed');
      await until(() => simulator.ledger.since(mark).revocations() === 2);
      await replica.kill();
      expect(await answer).toBe('killed');
      hanging.clear();
      expect((await app.find(id)).status).toBe('revoked');
      expect(await waiting(app, id)).toBe(2);
      // The claim of the dead process, a minute long, comes to its end.
      await execute(app, 'UPDATE notion_revocation SET next_attempt_at = 0');
      await until(async () => (await waiting(app, id)) === 0);
      expect(isDead(granted)).toBe(true);
    });

    it.each([
      [
        'a fresh pair, the old one alive',
        { reauthorization: 'fresh_pair', oldPairOnReauthorization: 'lives' },
      ],
      ['the very same pair', { reauthorization: 'same_pair' }],
    ] as const)(
      'leaves a grant alone that is connected again before the retry, with %s',
      async (_, modes) => {
        const app = await startApp(WITHOUT_TIMER);
        const { granted, id } = await connected(app);
        simulator.configure({ ...modes, revocation: 'grant' });
        const outage = notionIsDown();
        expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
        const again = await connectedAgain(app, id, granted);
        const mark = simulator.ledger.mark();
        outage.clear();
        await execute(app, 'UPDATE notion_revocation SET next_attempt_at = 0');
        await lookOnce();
        expect(simulator.ledger.since(mark).revocations()).toBe(0);
        expect((await app.tokens.getAccessToken(id)).reveal()).toBe(again.accessToken);
        expect(isDead(again)).toBe(false);
      },
    );

    it.each(['the process that disconnected', 'a later process'])(
      'sends no revocation that %s has claimed, once the grant is connected again',
      async (claimant) => {
        const app = await startApp(WITHOUT_TIMER);
        const { granted, id } = await connected(app);
        simulator.configure({ revocation: 'grant' });
        const held = holdRevocations();
        const mark = simulator.ledger.mark();
        let disconnected: Promise<unknown>;
        if (claimant === 'a later process') {
          const outage = notionIsDown();
          expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
          outage.clear();
          await until(() => simulator.ledger.since(mark).revocations() === 2);
          await execute(app, 'UPDATE notion_revocation SET next_attempt_at = 0');
          disconnected = startApp(WITHOUT_TIMER, held.options);
        } else {
          const slow = await startApp(WITHOUT_TIMER, held.options);
          disconnected = slow.connect.disconnect(id, OWNER);
        }
        const before = simulator.ledger.since(mark).revocations();
        await held.areClaimed;
        const again = await connectedAgain(app, id, granted);
        held.release();
        await disconnected;
        await Promise.all(opened.splice(0).map((one) => one.close()));
        expect(simulator.ledger.since(mark).revocations()).toBe(before);
        expect(isDead(again)).toBe(false);
      },
    );

    it('keeps a revocation for later when the database does not confirm that it is still wanted', async () => {
      const app = await startApp(WITHOUT_TIMER);
      const { granted, id } = await connected(app);
      const failing = holdRevocations(new Error('The database is away.'));
      failing.release();
      const other = await startApp(WITHOUT_TIMER, failing.options);
      const mark = simulator.ledger.mark();
      expect(await other.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      expect(simulator.ledger.since(mark).revocations()).toBe(0);
      await execute(app, 'UPDATE notion_revocation SET next_attempt_at = 0');
      await lookOnce();
      expect(isDead(granted)).toBe(true);
    });

    it('revokes a pair that comes after it, also when Notion is down just then', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      simulator.configure({ delayMs: { token: SLOW_MS }, revocation: 'token' });
      const mark = simulator.ledger.mark();
      const refreshing = app.refreshes.refresh(id, { trigger: 'manual' });
      await until(() => simulator.ledger.since(mark).refreshes() === 1);
      const outage = notionIsDown();
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      expect(await refreshing).toEqual({ kind: 'revoked' });
      expect(await waiting(app, id)).toBe(4);
      outage.clear();
      await until(() => isDead(granted));
      await until(async () => (await waiting(app, id)) === 0);
    });

    it('F5: of one of two owners leaves the other working, and sends nothing to Notion', async () => {
      const app = await startApp();
      const { granted, id } = await connected(app);
      expect((await app.keep(granted, 'owner-2')).id).toBe(id);
      const mark = simulator.ledger.mark();
      expect(await app.connect.disconnect(id, OWNER)).toBe('unlinked');
      expect(simulator.ledger.since(mark).revocations()).toBe(0);
      expect(await app.connect.list('owner-2')).toMatchObject([{ id, status: 'active' }]);
      expect(await app.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({ kind: 'renewed' });
      expect((await app.tokens.getAccessToken(id)).reveal()).toBe(
        simulator.ledger.live(granted.botId).accessToken,
      );
      expect(await app.connect.disconnect(id, 'owner-2')).toBe('revoked');
    });

    it('E15: erases row, retained pair and journal before Notion has responded', async () => {
      const journal = await temporaryFolder();
      const app = await startApp(
        { ...WITHOUT_TIMER, waitMs: 100 },
        { refresh: { journalFolder: journal.path } },
      );
      const { granted, id } = await connected(app);
      expect(await app.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({ kind: 'renewed' });
      const journaled = () =>
        readdirSync(journal.path).map((file) => readFileSync(join(journal.path, file), 'latin1'));
      expect(journaled().join()).toContain('"kind":"pair"');
      expect(app.custody.newerThan(id, 0)).toMatchObject({ kind: 'pair' });
      simulator.configure({ delayMs: { revoke: SLOW_MS } });
      expect(await app.connect.disconnect(id, OWNER)).toBe('revoke_pending');
      const [row] = (await execute(
        app,
        `SELECT sealed_access_token AS a, sealed_refresh_token AS r, key_id AS k FROM notion_authorization WHERE id = '${id}'`,
      )) as [unknown];
      expect(row).toEqual({ a: null, r: null, k: null });
      expect(app.custody.newerThan(id, 0)).toMatchObject({ kind: 'disconnect' });
      expect(journaled().join()).not.toContain('"kind":"pair"');
      // What Notion needs to hear is all that is left, and only until it has heard it.
      expect(await waiting(app, id)).toBe(2);
      await until(async () => (await waiting(app, id)) === 0);
      expect(isDead(granted)).toBe(true);
      await app.close();
      opened.splice(opened.indexOf(app), 1);
      await journal.remove();
    });
  });
}
