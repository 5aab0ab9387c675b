import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  NotionConfigError,
  NotionKeyError,
  type EncryptionKeyOption,
  type KeyRotationReport,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { AuthorizationEntity } from '../../src/storage/authorization.entity.js';
import { databaseFor, NotionApp, OWNER, type NotionAppOptions } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

const DAY_MS = 86_400_000;
const K1: EncryptionKeyOption = { id: 'k1', key: randomBytes(32).toString('base64') };
const K2: EncryptionKeyOption = { id: 'k2', key: randomBytes(32).toString('base64') };

interface SealedState {
  readonly id: string;
  readonly version: number;
  readonly keyId: string | null;
  readonly status: string;
  readonly sealedAccessToken: string | null;
  readonly sealedRefreshToken: string | null;
}

/** What a change of keys must and must not do to what is stored. */
export function keysContract(engine: StorageEngine): void {
  describe(`encryption keys on ${engine.name}`, () => {
    const apps: NotionApp[] = [];
    let notion: NotionSimulator;
    let database: { readonly options: NotionAppOptions; readonly drop: () => Promise<void> };

    beforeAll(async () => {
      notion = await NotionSimulator.start();
    });

    afterAll(() => notion.close());

    beforeEach(async () => {
      database = await databaseFor(engine);
    });

    afterEach(async () => {
      for (const app of apps.splice(0)) await app.close();
      await database.drop();
    });

    async function start(
      encryptionKeys: readonly EncryptionKeyOption[],
      options: NotionAppOptions = {},
    ): Promise<NotionApp> {
      const app = await NotionApp.start(notion, { ...database.options, encryptionKeys, ...options });
      apps.push(app);
      return app;
    }

    async function keep(app: NotionApp, count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let i = 0; i < count; i++) ids.push((await app.keep(notion.grant())).id);
      return ids;
    }

    async function rowsOf(app: NotionApp): Promise<SealedState[]> {
      return app.database.read(({ manager }) =>
        manager
          .createQueryBuilder(AuthorizationEntity, 'a')
          .addSelect(['a.sealedAccessToken', 'a.sealedRefreshToken'])
          .orderBy('a.id')
          .getMany(),
      );
    }

    const keyIdsOf = async (app: NotionApp) => [...new Set((await rowsOf(app)).map(({ keyId }) => keyId))];

    it('E6: seals everything anew with the first key, and changes no version and no token', async () => {
      const ids = await keep(await start([K1]), 25);
      const app = await start([K2, K1]);
      const before = await rowsOf(app);
      const tokens = await Promise.all(ids.map((id) => app.tokens.getAccessToken(id)));
      const seen: KeyRotationReport[] = [];
      const report = await app.keys.run({ batchSize: 10, onProgress: (told) => seen.push(told) });
      expect(report).toMatchObject({ resealed: 25, unreadable: 0, left: 0, isDone: true });
      expect(seen.map(({ resealed, left, isDone }) => [resealed, left, isDone])).toEqual([
        [10, 15, false],
        [20, 5, false],
        [25, 0, false],
        [25, 0, true],
      ]);
      for (const { tookMs } of seen) expect(tookMs >= 0 && tookMs < 60_000).toBe(true);
      const after = await rowsOf(app);
      expect(after.map(({ id, version, status }) => [id, version, status])).toEqual(
        before.map(({ id, version, status }) => [id, version, status]),
      );
      expect(await keyIdsOf(app)).toEqual(['k2']);
      const alone = await start([K2]);
      for (const [index, id] of ids.entries()) {
        expect((await alone.tokens.getAccessToken(id)).equals(tokens[index]!)).toBe(true);
        expect(await alone.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({ kind: 'renewed' });
      }
    });

    it('E6: comes back for what an older replica stores meanwhile, behind where it is', async () => {
      const old = await start([K1]);
      await keep(old, 20);
      const app = await start([K2, K1]);
      let meanwhile: Promise<unknown> | undefined;
      const report = await app.keys.run({
        batchSize: 10,
        // Ids are random: of so many some come before the place that the first pass has got to.
        onProgress: ({ isDone }) => (isDone ? undefined : (meanwhile ??= keep(old, 20))),
      });
      expect(report).toMatchObject({ resealed: 40, left: 0, isDone: true });
    });

    it('E6: goes on where it was broken off, and has nothing to do a second time', async () => {
      await keep(await start([K1]), 25);
      const app = await start([K2, K1]);
      const broken = new AbortController();
      const first = await app.keys.run({
        batchSize: 10,
        signal: broken.signal,
        onProgress: () => {
          broken.abort();
        },
      });
      expect(first).toMatchObject({ resealed: 10, left: 15 });
      expect(await app.keys.run()).toMatchObject({ resealed: 15, left: 0 });
      expect(await app.keys.run()).toMatchObject({ resealed: 0, left: 0 });
    });

    it('E6: loses nothing to refreshes that go on meanwhile, nor they to it', async () => {
      const ids = await keep(await start([K1]), 30);
      const app = await start([K2, K1]);
      const busy = Promise.all(
        ids.map(async (id) => {
          const kinds = [];
          for (let i = 0; i < 3; i++)
            kinds.push((await app.refreshes.refresh(id, { trigger: 'manual' })).kind);
          return kinds;
        }),
      );
      const reports = await Promise.all([app.keys.run({ batchSize: 3 }), app.keys.run({ batchSize: 4 })]);
      expect(new Set((await busy).flat())).toEqual(new Set(['renewed']));
      expect(await app.keys.run()).toMatchObject({ left: 0, unreadable: 0 });
      expect(reports.every(({ unreadable }) => unreadable === 0)).toBe(true);
      expect((await rowsOf(app)).map(({ version }) => version)).toEqual(ids.map(() => 4));
      for (const id of ids)
        expect((await app.refreshes.refresh(id, { trigger: 'manual' })).kind).toBe('renewed');
    });

    it('E6: takes the tokens along that Notion is still to revoke', async () => {
      const old = await start([K1]);
      const [id] = await keep(old, 1);
      notion.fail('revoke', { kind: 'status', status: 503 }, { times: 2 });
      expect(await old.connect.disconnect(id!, OWNER)).toBe('revoke_pending');
      const app = await start([K2, K1]);
      expect(await app.keys.run()).toMatchObject({ unreadable: 0, left: 0 });
      const waiting = await app.database.read(({ manager }) =>
        manager.query<{ key_id: string }[]>('SELECT key_id FROM notion_revocation'),
      );
      expect(waiting.map(({ key_id: keyId }) => keyId)).toEqual(waiting.map(() => 'k2'));
      expect(waiting.length).toBeGreaterThan(0);
    });

    describe('a refresh token that Notion rejected (R16)', () => {
      /** Also where the row says `active`, as after a failover: Notion must not see the token again. */
      async function expectRecognised(app: NotionApp, id: string): Promise<void> {
        await app.database.dataSource.query(
          `UPDATE notion_authorization SET status = 'active', reason = NULL WHERE id = '${id}'`,
        );
        const mark = notion.ledger.mark();
        expect(await app.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({
          kind: 'needs_reconnect',
        });
        expect(notion.ledger.since(mark).requests({ grantType: 'refresh_token' })).toEqual([]);
      }

      async function rejected(app: NotionApp, id: string, botId: string): Promise<void> {
        notion.revokeGrant(botId);
        expect(await app.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({
          kind: 'needs_reconnect',
        });
      }

      it('is recognised while both keys are configured, after the rotation, and without the old key', async () => {
        const old = await start([K1]);
        const granted = notion.grant();
        const { id } = await old.keep(granted);
        await rejected(old, id, granted.botId);
        const both = await start([K2, K1]);
        await expectRecognised(both, id);
        expect(await both.keys.run()).toMatchObject({ unreadable: 0, left: 0 });
        await expectRecognised(both, id);
        await expectRecognised(await start([K2]), id);
      });

      it('is recognised without the old key also when a replica met it that still sealed with that one', async () => {
        const [old, both] = [await start([K1, K2]), await start([K2, K1])];
        const granted = notion.grant();
        const { id } = await both.keep(granted);
        await rejected(old, id, granted.botId);
        await both.keys.run();
        await expectRecognised(await start([K2]), id);
      });

      it.each([
        ['before', [K2, K1]],
        ['after', [K2]],
      ])('is not kept by a grant that comes without one, %s the rotation', async (when, ring) => {
        const old = await start([K1]);
        const granted = notion.grant();
        const { id } = await old.keep(granted);
        await rejected(old, id, granted.botId);
        if (when === 'after') await (await start([K2, K1])).keys.run();
        const again = notion.grant({ workspace: granted.workspaceId, person: granted.ownerUserId! });
        const renewed = await (await start(ring)).keep({ ...again, refreshToken: null });
        expect(renewed).toMatchObject({ id, status: 'active', hasRefreshToken: false });
      });
    });

    it('tells how much stands under which key', async () => {
      await keep(await start([K1]), 3);
      const app = await start([K2, K1]);
      await keep(app, 2);
      expect(await app.keys.status()).toEqual([
        { keyId: 'k2', rows: 2, isConfigured: true, isSealing: true },
        { keyId: 'k1', rows: 3, isConfigured: true, isSealing: false },
      ]);
    });

    it('leaves what no key opens as it is, and says how much', async () => {
      const [damaged] = await keep(await start([K1]), 3);
      const app = await start([K2, K1]);
      await app.database.read(({ manager }) =>
        manager.query(
          `UPDATE notion_authorization SET sealed_refresh_token = 'v1.k1.${'A'.repeat(80)}' WHERE id = '${damaged!}'`,
        ),
      );
      expect(await app.keys.run()).toMatchObject({ resealed: 2, unreadable: 1, left: 1 });
      const row = (await rowsOf(app)).find(({ id }) => id === damaged);
      expect(row).toMatchObject({ keyId: 'k1', sealedRefreshToken: `v1.k1.${'A'.repeat(80)}` });
    });

    it('D6: does not start without a key that stored authorizations need, and names it with their number', async () => {
      await keep(await start([K1]), 3);
      const refused = start([K2]);
      await expect(refused).rejects.toThrow(NotionConfigError);
      await expect(refused).rejects.toThrow(/the key k1 is missing \(unknown_key_id\) and seals 3 /);
      expect(await keyIdsOf(await start([K1]))).toEqual(['k1']);
    });

    it('D6: starts when the application says that it may, and overwrites nothing', async () => {
      const [id] = await keep(await start([K1]), 1);
      const app = await start([K2], { allowMissingKeys: true });
      const before = await rowsOf(app);
      await expect(app.tokens.getAccessToken(id!)).rejects.toMatchObject({ failure: 'unknown_key_id' });
      expect(await rowsOf(app)).toEqual(before);
    });

    it('D6: starts where the missing key was that of one process, which nobody can bring back, and overwrites nothing', async () => {
      const ephemeral = { id: 'ephemeral-0123456789ab', key: randomBytes(32).toString('base64') };
      const [id] = await keep(await start([ephemeral]), 1);
      const app = await start([K1]);
      const before = await rowsOf(app);
      expect(before).toMatchObject([{ id, status: 'active' }]);
      await expect(app.tokens.getAccessToken(id!)).rejects.toMatchObject({ failure: 'unknown_key_id' });
      expect(await rowsOf(app)).toEqual(before);
    });

    it('E5, E7: a row under a key it does not have is a key error to a replica: no write, no reconnect', async () => {
      const old = await start([K1]);
      const [mine] = await keep(old, 1);
      const [theirs] = await keep(await start([K2, K1]), 1);
      const before = (await rowsOf(old)).find(({ id }) => id === theirs);
      const spent = notion.ledger.requests({ grantType: 'refresh_token' }).length;
      for (const use of [
        () => old.tokens.getAccessToken(theirs!),
        () => old.refreshes.refresh(theirs!, { trigger: 'manual' }),
        () => old.clients.fetchFor(theirs!)('/v1/users/me'),
      ]) {
        const error: unknown = await use().then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(NotionKeyError);
        expect(error).toMatchObject({ code: 'notion_key_error', failure: 'unknown_key_id', keyId: 'k2' });
      }
      expect(notion.ledger.requests({ grantType: 'refresh_token' })).toHaveLength(spent);
      expect((await rowsOf(old)).find(({ id }) => id === theirs)).toEqual(before);
      expect((await old.refreshes.refresh(mine!, { trigger: 'manual' })).kind).toBe('renewed');
    });

    it('E5: one row under a lost key does not hold up the sweep of the others', async () => {
      const old = await start([K1]);
      const ids = await keep(old, 4);
      const [theirs] = await keep(await start([K2, K1]), 1);
      await old.database.read(({ manager }) =>
        manager.query(
          `UPDATE notion_authorization SET pair_stored_at = pair_stored_at - ${String(2 * DAY_MS)}`,
        ),
      );
      expect(await old.sweep.run({ maxTokenAgeMs: DAY_MS })).toMatchObject({ renewed: ids.length });
      expect((await rowsOf(old)).find(({ id }) => id === theirs)).toMatchObject({
        version: 1,
        status: 'active',
        keyId: 'k2',
      });
    });

    it('E5: a lost key does not keep a person from disconnecting', async () => {
      const old = await start([K1]);
      const [theirs] = await keep(await start([K2, K1]), 1);
      await old.connect.disconnect(theirs!, OWNER);
      expect(await rowsOf(old)).toMatchObject([{ status: 'revoked', sealedRefreshToken: null, keyId: null }]);
    });
  });
}
