import { describe, expect, it } from '@jest/globals';
import type { EventClaimQuery } from '../../src/domain/event-outbox.js';
import type { NotionEventName } from '../../src/domain/notion-event.js';
import { CLIENT_ID, connectSome, type StorageEngine } from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

const DAY_MS = 86_400_000;

function asking(...limits: readonly [NotionEventName, number][]): EventClaimQuery {
  return { limits: new Map(limits), leaseMs: 60_000, keepMs: DAY_MS };
}

export function eventOutboxContract(engine: StorageEngine): void {
  describe(`the event outbox on ${engine.name}`, () => {
    const storage = useStorage(engine);
    const empty = () => run(storage(), 'DELETE FROM notion_event');
    const count = async () => {
      const [row] = (await run(storage(), 'SELECT COUNT(*) AS n FROM notion_event')) as [{ n: unknown }];
      return Number(row.n);
    };

    /** Raises `connected` for each; the first of them is the oldest. */
    async function connectMany(many: number): Promise<string[]> {
      const ids: string[] = [];
      for (let at = 0; at < many; at++) {
        const { id } = await connectSome(storage().store);
        await run(
          storage(),
          `UPDATE notion_event SET next_delivery_at = next_delivery_at - ${String(1_000 * (many - at))} WHERE authorization_id = '${id}'`,
        );
        ids.push(id);
      }
      return ids;
    }

    it('hands out the names that are asked for, as many as asked for, oldest first, and each once', async () => {
      await empty();
      const { store, events, join } = storage();
      const ids = await connectMany(5);
      const gone = await connectSome(store);
      await store.disconnect(gone.id, gone.connection.ownerId);
      expect(await events.claimDue(asking())).toEqual([]);
      expect(await events.claimDue(asking(['recovered', 10]))).toEqual([]);
      const some = await events.claimDue(asking(['connected', 2], ['disconnected', 10]));
      expect(some.map(({ event }) => [event.name, event.authorizationId])).toEqual([
        ['connected', ids[0]],
        ['connected', ids[1]],
        ['disconnected', gone.id],
      ]);
      const rest = await (await join()).events.claimDue(asking(['connected', 10]));
      expect(rest.map(({ event }) => event.authorizationId)).toEqual([...ids.slice(2), gone.id]);
      expect(await events.claimDue(asking(['connected', 10], ['disconnected', 10]))).toEqual([]);
    });

    it('names the client of an event, and hands out no event of another client', async () => {
      await empty();
      const { id } = await connectSome(storage().store);
      await connectSome(storage().storeOf('another-client'), { clientId: 'another-client' });
      const claimed = await storage().events.claimDue(asking(['connected', 10]));
      expect(claimed).toMatchObject([{ event: { clientId: CLIENT_ID, authorizationId: id } }]);
    });

    it('hands out no event that is older than its retention', async () => {
      await empty();
      const [old, young] = await connectMany(2);
      await run(
        storage(),
        `UPDATE notion_event SET created_at = created_at - ${String(2 * DAY_MS)} WHERE authorization_id = '${old!}'`,
      );
      const claimed = await storage().events.claimDue(asking(['connected', 10]));
      expect(claimed.map(({ event }) => event.authorizationId)).toEqual([young]);
    });

    it('is pruned in batches, and keeps what is younger', async () => {
      await empty();
      const old = Array.from(
        { length: 600 },
        (_, n) => `('old-${String(n)}', '${CLIENT_ID}', 'connected', 0, ${String(n)}, ${String(n)})`,
      );
      await run(
        storage(),
        `INSERT INTO notion_event (id, client_id, name, deliveries, next_delivery_at, created_at) VALUES ${old.join()}`,
      );
      await connectSome(storage().store);
      expect(await storage().events.prune(DAY_MS)).toBe(true);
      expect(await count()).toBeGreaterThan(1);
      expect(await storage().events.prune(DAY_MS)).toBe(false);
      expect(await count()).toBe(1);
    });
  });
}
