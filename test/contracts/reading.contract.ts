import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimed, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { attemptsOn, run, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;

export function readingContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  it('lists an owner its own authorizations, oldest first', async () => {
    const { store, storeOf } = storage();
    const first = await connectSome(store, { ownerId: 'lister' });
    await sleep(5);
    const second = await connectSome(store, { ownerId: 'lister' });
    await connectSome(store);
    expect((await store.listForOwner('lister')).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(await storeOf('another-client').listForOwner('lister')).toEqual([]);
    expect(await storeOf('another-client').find(first.id)).toBeNull();
  });

  it('does not tell an unknown id from one of another owner', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    expect(await store.findForOwner(id, 'somebody else')).toBeNull();
    expect(await store.findForOwner('00000000-0000-4000-8000-000000000000', 'somebody else')).toBeNull();
    expect(await store.readAccessToken('00000000-0000-4000-8000-000000000000')).toBeNull();
  });

  it('tells how old the pair is by the database clock', async () => {
    const { store } = storage();
    const { id } = await connectSome(store, { pair: somePair({ expiresInMs: 20 }) });
    await sleep(60);
    const stored = await store.readAccessToken(id);
    expect(stored!.ageMs).toBeGreaterThanOrEqual(60);
    expect(stored!.ageMs).toBeLessThan(20_000);
    expect(stored!.expiresInMs).toBeLessThanOrEqual(-40);
  });

  it('keeps a token of 8 KiB', async () => {
    const { store } = storage();
    const pair = somePair();
    const long = new (pair.accessToken.constructor as new (value: string) => typeof pair.accessToken)(
      't'.repeat(8192),
    );
    const { id } = await connectSome(store, { pair: { ...pair, accessToken: long } });
    expect((await store.readAccessToken(id))!.token!.equals(long)).toBe(true);
  });

  it('finds what is due: active, renewable, free and old enough, oldest first', async () => {
    const { store } = storage();
    const age = async (id: string, hours: number) =>
      run(
        storage(),
        `UPDATE notion_authorization SET pair_stored_at = pair_stored_at - ${String(hours * HOUR_MS)} WHERE id = '${id}'`,
      );
    const [older, old, young, busy, dead, tokenless] = [
      await connectSome(store),
      await connectSome(store),
      await connectSome(store),
      await connectSome(store),
      await connectSome(store),
      await connectSome(store, { pair: somePair({ refreshToken: null }) }),
    ];
    for (const [{ id }, hours] of [
      [older, 50],
      [old, 40],
      [busy, 60],
      [dead, 60],
      [tokenless, 60],
    ] as const)
      await age(id, hours);
    await claimed(store, busy.id);
    await store.settle(
      await claimed(store, dead.id),
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead' },
    );
    const query = { olderThanMs: 30 * HOUR_MS, leaseMs: 60_000 };
    const first = await store.claimDue({ ...query, limit: 1 });
    expect(first).toMatchObject([{ authorizationId: older.id, spentVersion: 1, recovering: null }]);
    const rest = await store.claimDue({ ...query, limit: 10 });
    expect(rest).toMatchObject([{ authorizationId: old.id, spentVersion: 1 }]);
    expect(young.id).not.toBe(old.id);
  });

  it('counts the outcomes of a window, of this client only, and prunes by age', async () => {
    const { store, statistics } = storage();
    const before = await statistics.countOutcomes(HOUR_MS);
    const { id } = await connectSome(store);
    await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    await store.settle(await claimed(store, id, 2), { kind: 'release' }, { outcome: 'not_sent' });
    await claimed(store, id, 2);
    const after = await statistics.countOutcomes(HOUR_MS);
    expect(after.success - before.success).toBe(1);
    expect(after.not_sent - before.not_sent).toBe(1);
    expect(after).toMatchObject({ configuration: 0, lost: 0 });
    await run(
      storage(),
      `UPDATE notion_refresh_attempt SET started_at = started_at - ${String(2 * HOUR_MS)}, ended_at = ended_at - ${String(2 * HOUR_MS)} WHERE authorization_id = '${id}' AND outcome = 'success'`,
    );
    expect((await statistics.countOutcomes(HOUR_MS)).success).toBe(before.success);
    expect(await statistics.prune(HOUR_MS)).toBe(1);
    expect(await attemptsOn(storage(), id)).toHaveLength(2);
  });
}
