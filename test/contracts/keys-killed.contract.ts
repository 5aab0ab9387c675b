import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EncryptionKeyOption } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Replica } from '../../proofs/harness/replica.js';
import { databaseFor, NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

const REPLICA_PROCESS = resolve(import.meta.dirname, '../../build/proofs/harness/replica.process.js');
const K1: EncryptionKeyOption = { id: 'k1', key: randomBytes(32).toString('base64') };
const K2: EncryptionKeyOption = { id: 'k2', key: randomBytes(32).toString('base64') };

/** What a change of keys must come to when its process does not survive it. Needs the build (`npm test` makes it). */
export function keysKilledContract(engine: StorageEngine): void {
  describe(`a change of keys whose process is killed, on ${engine.name}`, () => {
    const apps: NotionApp[] = [];
    let notion: NotionSimulator;
    let database: { readonly options: NotionAppOptions; readonly drop: () => Promise<void> };

    beforeEach(async () => {
      notion = await NotionSimulator.start();
      database = await databaseFor(engine);
    });

    afterEach(async () => {
      for (const app of apps.splice(0)) await app.close();
      await database.drop();
      await notion.close();
    });

    async function start(encryptionKeys: readonly EncryptionKeyOption[]): Promise<NotionApp> {
      const app = await NotionApp.start(notion, { ...database.options, encryptionKeys });
      apps.push(app);
      return app;
    }

    async function keep(app: NotionApp, count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let i = 0; i < count; i++) ids.push((await app.keep(notion.grant())).id);
      return ids;
    }

    it('E6: killed twice on the way, is ended by whoever runs it next, and fails no call', async () => {
      const old = await start([K1]);
      const busy = await keep(old, 3);
      const ids = await keep(old, 500);
      const app = await start([K2, K1]);
      const versionsOf = async () => [...(await app.store.readVersions(ids))].sort();
      const before = await versionsOf();
      const load = new AbortController();
      const underLoad = Promise.all(busy.map((id) => useUntil(load.signal, app, id)));
      for (let kill = 0; kill < 2; kill += 1) {
        const left = await leftUnder(app, 'k1');
        const replica = await Replica.start(REPLICA_PROCESS, app.options);
        expect(await replica.rotateKeys(1, 20).catch(() => 'killed')).toBe('killed');
        await replica.gone;
        const leftThen = await leftUnder(app, 'k1');
        expect([leftThen > 0, leftThen < left]).toEqual([true, true]);
      }
      expect(await app.keys.run()).toMatchObject({ left: 0, unreadable: 0 });
      load.abort();
      const kinds = (await underLoad).flat();
      expect(kinds.length).toBeGreaterThan(busy.length);
      expect([...new Set(kinds)].sort()).toEqual(['200', 'renewed']);
      expect(await leftUnder(app, 'k1')).toBe(0);
      expect(await versionsOf()).toEqual(before);
      const alone = await start([K2]);
      for (const id of busy) expect((await useOnce(alone, id))[0]).toBe('renewed');
      for (const id of ids.slice(0, 50)) await alone.tokens.getAccessToken(id);
    }, 90_000);

    /** A refresh and a call; answers what came of them. */
    async function useOnce(app: NotionApp, id: string): Promise<string[]> {
      const { kind } = await app.refreshes.refresh(id, { trigger: 'manual' });
      const { status } = await app.clients.fetchFor(id)('/v1/users/me', {
        headers: { 'notion-version': '2026-03-11' },
      });
      return [kind, String(status)];
    }

    async function useUntil(over: AbortSignal, app: NotionApp, id: string): Promise<string[]> {
      const kinds: string[] = [];
      while (!over.aborted) {
        kinds.push(...(await useOnce(app, id)));
        // The job shall have its turns as well, also where everybody stands in one line.
        await sleep(20);
      }
      return kinds;
    }

    async function leftUnder(app: NotionApp, keyId: string): Promise<number> {
      const usage = await app.keys.status();
      return usage.find((one) => one.keyId === keyId)?.rows ?? 0;
    }
  });
}
