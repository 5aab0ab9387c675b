import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { statementsDuring } from '../support/statement.recorder.js';
import { claimed, CLIENT_ID, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { attemptsOn, run, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

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

  it('counts authorizations by status and reason, of this client only', async () => {
    const { store, readings } = storage();
    const counted = async () =>
      Object.fromEntries(
        (await readings().countAuthorizations()).map(({ status, reason, total }) => [
          `${status} ${reason ?? 'none'}`,
          total,
        ]),
      );
    const before = await counted();
    await connectSome(store);
    const { id } = await connectSome(store);
    await store.settle(
      await claimed(store, id),
      { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
      { outcome: 'dead' },
    );
    const after = await counted();
    const grown = Object.keys(after).map((standing) => [
      standing,
      after[standing]! - (before[standing] ?? 0),
    ]);
    expect(Object.fromEntries(grown.filter(([, growth]) => growth !== 0))).toEqual({
      'active none': 1,
      'needs_reconnect lost_rotation': 1,
    });
  });

  it('counts the outcomes of a window, of this client only, and prunes by age', async () => {
    const { store, statistics, readings } = storage();
    const count = async (): Promise<Partial<Record<string, number>>> => {
      const counts: Record<string, number> = {};
      for (const { outcome, total } of (await readings().read(HOUR_MS, MINUTE_MS)).attempts) {
        counts[outcome] = (counts[outcome] ?? 0) + total;
      }
      return counts;
    };
    const before = await count();
    const { id } = await connectSome(store);
    await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    await store.settle(await claimed(store, id, 2), { kind: 'release' }, { outcome: 'not_sent' });
    await claimed(store, id, 2);
    const after = await count();
    expect((after.success ?? 0) - (before.success ?? 0)).toBe(1);
    expect((after.not_sent ?? 0) - (before.not_sent ?? 0)).toBe(1);
    expect([after.configuration, after.lost]).toEqual([undefined, undefined]);
    await run(
      storage(),
      `UPDATE notion_refresh_attempt SET started_at = started_at - ${String(2 * HOUR_MS)}, ended_at = ended_at - ${String(2 * HOUR_MS)} WHERE authorization_id = '${id}' AND outcome = 'success'`,
    );
    expect((await count()).success).toBe(before.success);
    expect(await statistics.prune(HOUR_MS)).toBe(false);
    expect(await attemptsOn(storage(), id)).toHaveLength(2);
  });

  it('reads how long ago attempts ended, by whole slices of time', async () => {
    const { store, readings } = storage();
    const { id } = await connectSome(store);
    await store.settle(await claimed(store, id), { kind: 'release' }, { outcome: 'configuration' });
    await run(
      storage(),
      `UPDATE notion_refresh_attempt SET ended_at = ended_at - 200000 WHERE authorization_id = '${id}'`,
    );
    const ageBySlices = async (sliceMs: number) =>
      (await readings().read(HOUR_MS, sliceMs)).attempts
        .filter(({ outcome }) => outcome === 'configuration')
        .map(({ ageMs, total }) => ({ ageMs, total }));
    expect(await ageBySlices(MINUTE_MS)).toEqual([{ ageMs: 3 * MINUTE_MS, total: 1 }]);
    expect(await ageBySlices(100_000)).toEqual([{ ageMs: 200_000, total: 1 }]);
  });

  it.each([`' OR 1=1--`, `'; DROP TABLE notion_authorization; --`, '%', `\\`, 'owner" OR "1"="1'])(
    'E17: takes %j for an id that nothing has, and never writes it into a statement',
    async (hostile) => {
      const { store, database } = storage();
      const { id, connection } = await connectSome(store);
      const statements = await statementsDuring(database.dataSource, async () => {
        expect(await store.find(hostile)).toBeNull();
        expect(await store.findForOwner(hostile, connection.ownerId)).toBeNull();
        expect(await store.findForOwner(id, hostile)).toBeNull();
        expect(await store.listForOwner(hostile)).toEqual([]);
        expect(await store.readAccessToken(hostile)).toBeNull();
        expect(await store.disconnect(id, hostile)).toEqual({ kind: 'not_found' });
      });
      expect(statements.filter(({ sql }) => sql.includes(hostile))).toEqual([]);
      expect(statements.some(({ parameters }) => parameters.includes(hostile))).toBe(true);
      expect(await store.find(id)).toMatchObject({ id, status: 'active' });
    },
  );

  it.each([{ $ne: 1 }, { id: 'x' }, [], ['a', 'b'], 1, true, null, undefined, Symbol('id')])(
    'E17: lets %p, which is no text, reach no statement',
    async (hostile) => {
      const { store, database } = storage();
      const { id } = await connectSome(store);
      const noText = hostile as unknown as string;
      const statements = await statementsDuring(database.dataSource, async () => {
        for (const attempt of [
          () => store.find(noText),
          () => store.findForOwner(noText, 'owner'),
          () => store.findForOwner(id, noText),
          () => store.listForOwner(noText),
          () => store.readAccessToken(noText),
          () => store.disconnect(id, noText),
        ]) {
          await expect((async () => attempt())()).rejects.toThrow(TypeError);
        }
      });
      expect(statements).toEqual([]);
    },
  );

  it('reads which gates hold refreshes back, also past their time where a probe must open them', async () => {
    const { readings } = storage();
    const close = (gate: string, untilSql: string) =>
      run(
        storage(),
        `INSERT INTO notion_refresh_gate (client_id, gate, closed_until) VALUES ('${CLIENT_ID}', '${gate}', ${untilSql})`,
      );
    await run(storage(), 'DELETE FROM notion_refresh_gate');
    const [later, before] = [Date.now() + HOUR_MS, Date.now() - HOUR_MS].map(String) as [string, string];
    await close('rate_limit', before);
    await close('failover', later);
    await close('configuration', before);
    await close('mass_dead', 'NULL');
    const { closedGates } = await readings().read(HOUR_MS, MINUTE_MS);
    expect([...(await readings().closedGates())].sort()).toEqual([...closedGates].sort());
    expect([...closedGates].sort()).toEqual(['configuration', 'failover']);
    await run(storage(), 'DELETE FROM notion_refresh_gate');
  });

  it('D6: names key ids that stored secrets need and this process lacks, and no other', async () => {
    const { store, readings } = storage();
    const ids = await Promise.all(['b', 'd', 'f'].map(async () => (await connectSome(store)).id));
    for (const [index, keyId] of ['b', 'd', 'f'].entries()) {
      await run(storage(), `UPDATE notion_authorization SET key_id = '${keyId}' WHERE id = '${ids[index]!}'`);
    }
    await run(
      storage(),
      `UPDATE notion_authorization SET key_id = 'b' WHERE id NOT IN ('${ids[1]!}', '${ids[2]!}')`,
    );
    const missing = async (...keyIds: string[]) =>
      [...(await readings(...keyIds).read(HOUR_MS, MINUTE_MS)).missingKeyIds].sort();
    expect(await missing('b', 'd', 'f')).toEqual([]);
    expect(await missing('f', 'a', 'd', 'b', 'z')).toEqual([]);
    expect(await missing('b', 'd')).toEqual(['f']);
    expect(await missing('b', 'f')).toEqual(['d']);
    expect(await missing('d', 'f')).toEqual(['b']);
    expect(await missing('z')).toEqual(['b']);
  });
}
