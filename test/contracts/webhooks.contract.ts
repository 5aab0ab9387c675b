import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { TypeOrmSealedSecrets } from '../../src/storage/typeorm-sealed.secrets.js';
import { TypeOrmWebhookTokens } from '../../src/storage/typeorm-webhook.tokens.js';
import {
  CLIENT_ID,
  connectSome,
  someGrant,
  testCipher,
  type StorageEngine,
} from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

const MINUTE_MS = 60_000;
const BOUNDS = { rememberMs: 25 * 60 * MINUTE_MS, maxEvents: 100 };
const someToken = () => new Secret(`secret_${randomUUID()}`);

export function webhooksContract(engine: StorageEngine): void {
  describe(`verification tokens on ${engine.name}`, () => {
    const storage = useStorage(engine);
    const revealed = async () => (await storage().webhookTokens.read()).tokens.map((token) => token.reveal());
    const rows = () => run(storage(), 'SELECT * FROM notion_webhook_token') as Promise<unknown[]>;

    it('H7: are kept only in a window, one of them, and say so', async () => {
      const { webhookTokens } = storage();
      const [early, first, second] = [someToken(), someToken(), someToken()];
      expect(await webhookTokens.keep(early)).toBe(false);
      const until = await webhookTokens.open(MINUTE_MS);
      expect(Math.abs(until.getTime() - Date.now() - MINUTE_MS)).toBeLessThan(10_000);
      expect(await webhookTokens.read()).toEqual({ tokens: [], isOpen: true });
      expect(await webhookTokens.keep(first)).toBe(true);
      expect(await webhookTokens.keep(second)).toBe(false);
      expect((await webhookTokens.read()).isOpen).toBe(false);
      expect(await revealed()).toEqual([first.reveal()]);
    });

    it('H7: of twenty that come at once for a window, from two processes, one is kept', async () => {
      const { webhookTokens, join } = storage();
      const other = (await join()).webhookTokens;
      await webhookTokens.retire();
      const before = await revealed();
      await webhookTokens.open(MINUTE_MS);
      const kept = await Promise.all(
        Array.from({ length: 20 }, (_, index) => [webhookTokens, other][index % 2]!.keep(someToken())),
      );
      expect(kept.filter(Boolean)).toHaveLength(1);
      expect(await revealed()).toHaveLength(before.length + 1);
    });

    it('H7: are not taken when the window is over by the clock of the database', async () => {
      const { webhookTokens } = storage();
      await webhookTokens.open(MINUTE_MS);
      await run(storage(), 'UPDATE notion_webhook_token SET open_until = 1 WHERE paired_at IS NULL');
      expect((await webhookTokens.read()).isOpen).toBe(false);
      expect(await webhookTokens.keep(someToken())).toBe(false);
    });

    it('H11: stand beside the one before until that is retired', async () => {
      const { webhookTokens } = storage();
      const [older, newer] = [someToken(), someToken()];
      for (const token of [older, newer]) {
        await webhookTokens.open(MINUTE_MS);
        expect(await webhookTokens.keep(token)).toBe(true);
        await run(
          storage(),
          'UPDATE notion_webhook_token SET paired_at = paired_at - 5 WHERE paired_at IS NOT NULL',
        );
      }
      expect((await revealed()).slice(0, 2)).toEqual([newer.reveal(), older.reveal()]);
      expect(await webhookTokens.retire()).toBeGreaterThanOrEqual(1);
      expect(await revealed()).toEqual([newer.reveal()]);
      expect(await webhookTokens.retire()).toBe(0);
    });

    it('E9: lie sealed in their own row, and nowhere else open', async () => {
      const { webhookTokens } = storage();
      const [one, other] = [someToken(), someToken()];
      for (const token of [one, other]) {
        await webhookTokens.open(MINUTE_MS);
        await webhookTokens.keep(token);
      }
      const stored = JSON.stringify(await rows());
      for (const token of [one, other]) expect(stored).not.toContain(token.reveal());
      await run(
        storage(),
        `UPDATE notion_webhook_token SET sealed_token = (SELECT s FROM (SELECT MAX(sealed_token) AS s FROM notion_webhook_token) AS one)`,
      );
      expect((await revealed()).length).toBeLessThanOrEqual(1);
      await run(storage(), 'DELETE FROM notion_webhook_token');
    });

    it('are sealed anew when the key changes, and left out where no key opens them', async () => {
      const { webhookTokens, database } = storage();
      const [token, config] = [someToken(), { clientId: CLIENT_ID }];
      await webhookTokens.open(MINUTE_MS);
      await webhookTokens.keep(token);
      const key = new Secret(randomBytes(32).toString('base64'));
      const next = new KeyRingCipher({ encryptionKeys: [{ id: 'next', key }] });
      expect(await new TypeOrmWebhookTokens(database, config, next).read()).toMatchObject({ tokens: [] });
      const counts = await new TypeOrmSealedSecrets(database, config, testCipher()).countByKey();
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(1);
    });
  });

  describe(`webhook deliveries on ${engine.name}`, () => {
    const storage = useStorage(engine);
    const count = async () => {
      const found = (await run(storage(), 'SELECT COUNT(*) AS n FROM notion_webhook_event')) as {
        n: unknown;
      }[];
      return Number(found[0]!.n);
    };

    it('H9: are new once, over all processes', async () => {
      const { webhookDeliveries, join } = storage();
      const other = (await join()).webhookDeliveries;
      const id = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => [webhookDeliveries, other][index % 2]!.remember(id, BOUNDS)),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await webhookDeliveries.remember(id, BOUNDS)).toBe(false);
    });

    it('H9: are forgotten by age, and the oldest first beyond their number', async () => {
      const { webhookDeliveries } = storage();
      const old = randomUUID();
      await webhookDeliveries.remember(old, BOUNDS);
      await run(storage(), 'UPDATE notion_webhook_event SET received_at = 1');
      for (let index = 0; index < 250; index += 1) await webhookDeliveries.remember(randomUUID(), BOUNDS);
      expect(await count()).toBeLessThanOrEqual(BOUNDS.maxEvents * 1.1);
      expect(await webhookDeliveries.remember(old, BOUNDS)).toBe(true);
    });
  });

  describe(`the pruning of webhook deliveries on ${engine.name}`, () => {
    const storage = useStorage(engine);

    it('removes what is too old or too many, in batches, and nothing of another client', async () => {
      const { webhookDeliveries } = storage();
      const received = (n: number) =>
        `('${n % 700 === 0 ? 'another-client' : CLIENT_ID}', 'event-${n}', ${n})`;
      await run(
        storage(),
        `INSERT INTO notion_webhook_event (client_id, event_id, received_at) VALUES ${Array.from({ length: 600 }, (_, n) => received(n)).join()}`,
      );
      for (let index = 0; index < 3; index += 1) await webhookDeliveries.remember(randomUUID(), BOUNDS);
      const left = async () =>
        ((await run(storage(), 'SELECT client_id, event_id FROM notion_webhook_event')) as unknown[]).length;
      expect(await webhookDeliveries.prune(BOUNDS)).toBe(true);
      expect(await left()).toBeGreaterThan(4);
      expect(await webhookDeliveries.prune(BOUNDS)).toBe(false);
      expect(await left()).toBe(4);
      expect(await webhookDeliveries.prune({ ...BOUNDS, maxEvents: 2 })).toBe(false);
      expect(await left()).toBeLessThanOrEqual(3);
    });
  });

  describe(`the audience of an event on ${engine.name}`, () => {
    const storage = useStorage(engine);

    it('F9: are the owners of its bots in its workspace, and nobody else', async () => {
      const { store, storeOf, webhookAudience } = storage();
      const workspaceId = randomUUID();
      const mine = await connectSome(store, { grant: someGrant({ workspaceId }), ownerId: 'ada' });
      await connectSome(store, { ...mine.connection, ownerId: 'bob' });
      const neighbour = await connectSome(store, { grant: someGrant({ workspaceId }), ownerId: 'eve' });
      const elsewhere = await connectSome(store, { ownerId: 'zoe' });
      const gone = await connectSome(store, { grant: someGrant({ workspaceId }), ownerId: 'gus' });
      await store.disconnect(gone.id, 'gus');
      await connectSome(storeOf('another-client'), {
        clientId: 'another-client',
        grant: mine.connection.grant,
        ownerId: 'max',
      });
      const botOf = ({ connection }: typeof mine) => connection.grant.botId;
      const linked = await webhookAudience.linkedTo(workspaceId, [mine, elsewhere, gone].map(botOf));
      expect(linked).toEqual([
        { id: mine.id, botId: botOf(mine), workspaceId, status: 'active', ownerIds: ['ada', 'bob'] },
      ]);
      expect(linked.map(({ id }) => id)).not.toContain(neighbour.id);
      expect(await webhookAudience.linkedTo(workspaceId, [])).toEqual([]);
      expect(await webhookAudience.linkedTo(randomUUID(), [botOf(mine)])).toEqual([]);
    });
  });
}
