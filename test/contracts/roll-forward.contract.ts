import { expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { RetainedPair } from '../../src/domain/retained-change.js';
import { claimed, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import {
  attemptsOn,
  eventsOf,
  revealed,
  revealedPair,
  revocationsOf,
  rowOf,
  useStorage,
} from '../support/use-storage.js';

export function rollForwardContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  const retained = (id: string, changes: Partial<RetainedPair> = {}): RetainedPair => ({
    kind: 'pair',
    authorizationId: id,
    version: 2,
    pair: somePair(),
    attemptId: null,
    ...changes,
  });

  it('puts back a pair that the database lost, sealed for its own version (T13)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const lost = retained(id, { version: 4, pair: somePair({ expiresInMs: 3_600_000 }) });
    expect(await store.rollForward(lost)).toMatchObject({ kind: 'rolled_forward' });
    const stored = await store.readAccessToken(id);
    expect(stored).toMatchObject({ version: 4, status: 'active' });
    expect(stored!.token!.equals(lost.pair.accessToken)).toBe(true);
    expect(stored!.expiresInMs).toBeGreaterThan(3_500_000);
    expect((await claimed(store, id, 4)).refreshToken.equals(lost.pair.refreshToken!)).toBe(true);
  });

  it('puts back many at once, and answers each as it would alone', async () => {
    const { store } = storage();
    const ids: string[] = [];
    for (let i = 0; i < 150; i++) ids.push((await connectSome(store)).id);
    const gone = await connectSome(store);
    await store.disconnect(gone.id, gone.connection.ownerId);
    const lost = ids.map((id, at) => retained(id, { version: 3 + (at % 3), attemptId: randomUUID() }));
    const others = [
      retained(ids[0]!, { version: 2, attemptId: randomUUID() }),
      retained(gone.id, { version: 9, attemptId: randomUUID() }),
      retained(randomUUID(), { attemptId: randomUUID() }),
      retained(ids[1]!, { version: 1, attemptId: randomUUID() }),
    ];
    const verdicts = await Promise.all([...lost, ...others].map((change) => store.rollForward(change)));
    expect(new Set(verdicts.slice(0, 150).map(({ kind }) => kind))).toEqual(new Set(['rolled_forward']));
    expect(verdicts.slice(151)).toMatchObject([
      { kind: 'up_to_date', status: 'revoked' },
      { kind: 'not_found' },
      { kind: 'up_to_date' },
    ]);
    for (const { authorizationId, version, pair } of lost) {
      const claim = await claimed(store, authorizationId, version);
      expect(claim.refreshToken.equals(pair.refreshToken!)).toBe(true);
    }
  });

  it('overrules whatever was begun with the older pair, and its verdict', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const begun = await claimed(store, id);
    await store.settle(
      begun,
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead' },
    );
    expect(await store.rollForward(retained(id))).toMatchObject({ kind: 'rolled_forward' });
    expect(await store.find(id)).toMatchObject({ status: 'active', reason: null, version: 2 });
    const claim = await claimed(store, id, 2);
    expect(await store.rollForward(retained(id, { version: 3 }))).toMatchObject({ kind: 'rolled_forward' });
    expect(await store.settle(claim, { kind: 'release' }, { outcome: 'not_sent' })).toBe('superseded');
    expect(await rowOf(storage(), id)).toMatchObject({ attemptId: null, unresolvedSince: null, version: 3 });
  });

  it('raises recovered once for each that needed reconnecting, alone and together with others', async () => {
    const { store } = storage();
    const ids = (await Promise.all(Array.from({ length: 20 }, () => connectSome(store)))).map(({ id }) => id);
    for (const id of ids) {
      await store.settle(
        await claimed(store, id),
        { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
        { outcome: 'dead' },
      );
    }
    const alone = retained(ids[0]!);
    for (const change of [alone, alone]) await store.rollForward(change);
    const healthy = await connectSome(store);
    await Promise.all(
      [...ids, healthy.id].map((id) => store.rollForward(retained(id, { attemptId: randomUUID() }))),
    );
    for (const id of ids) {
      expect((await eventsOf(storage(), id)).sort()).toEqual(['connected', 'needs_reconnect', 'recovered']);
    }
    expect(await eventsOf(storage(), healthy.id)).toEqual(['connected']);
  });

  it('raises connected again where it puts back a connect that followed a disconnect', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.disconnect(id, connection.ownerId);
    await store.rollForward(retained(id, { version: 3 }));
    expect((await eventsOf(storage(), id)).sort()).toEqual(['connected', 'connected', 'disconnected']);
  });

  it('changes nothing on a row that is there already or past it', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const pair = somePair();
    await store.storePair(await claimed(store, id), pair, { outcome: 'success' });
    expect(await store.rollForward(retained(id, { version: 1 }))).toMatchObject({ kind: 'up_to_date' });
    expect(await store.rollForward(retained(id, { version: 2 }))).toMatchObject({ kind: 'up_to_date' });
    expect((await store.readAccessToken(id))!.token!.equals(pair.accessToken)).toBe(true);
  });

  it('ends its attempt as a success where that has no end or is unknown, and not otherwise', async () => {
    const { store } = storage();
    for (const outcome of [null, 'unknown', 'dead'] as const) {
      const { id } = await connectSome(store);
      const claim = await claimed(store, id);
      const settlement =
        outcome === 'dead'
          ? ({ kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null } as const)
          : ({ kind: 'unknown', retryInMs: 0, sent: true, replayed: false } as const);
      if (outcome !== null) await store.settle(claim, settlement, { outcome });
      expect(await store.rollForward(retained(id, { attemptId: claim.attemptId }))).toMatchObject({
        kind: 'rolled_forward',
      });
      expect(await attemptsOn(storage(), id)).toMatchObject([
        { outcome: outcome === 'dead' ? 'dead' : 'success' },
      ]);
    }
  });

  it('keeps the stored refresh token where Notion gave none', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.rollForward(retained(id, { pair: somePair({ refreshToken: null }) }));
    const claim = await claimed(store, id, 2);
    expect(claim.refreshToken.equals(connection.pair.refreshToken!)).toBe(true);
    expect(await rowOf(storage(), id)).toMatchObject({ refreshTokenKept: true });
  });

  it('lets no pair undo a disconnect, and puts back a disconnect that was lost', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    expect(await store.rollForward({ kind: 'disconnect', authorizationId: id, version: 2 })).toMatchObject({
      kind: 'rolled_forward',
    });
    expect(await rowOf(storage(), id)).toMatchObject({
      status: 'revoked',
      version: 2,
      sealedAccessToken: null,
      sealedRefreshToken: null,
      keyId: null,
    });
    expect(await store.findForOwner(id, connection.ownerId)).toBeNull();
    const late = retained(id, { version: 9, attemptId: randomUUID() });
    const verdict = await store.rollForward(late);
    expect(verdict).toMatchObject({ kind: 'up_to_date', status: 'revoked' });
    expect(verdict.kind === 'up_to_date' && revealed(verdict.revocations)).toEqual(revealedPair(late.pair));
    expect((await store.readAccessToken(id))!.token).toBeNull();
  });

  it('hands the tokens that a forgotten disconnect finds in the row to the outbox', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const verdict = await store.rollForward({ kind: 'disconnect', authorizationId: id, version: 2 });
    const revocations = verdict.kind === 'rolled_forward' ? verdict.revocations : [];
    expect(revealed(revocations)).toEqual(revealedPair(connection.pair));
    expect(await revocationsOf(storage(), id)).toHaveLength(2);
  });

  it('puts back a reconnect that was made after a disconnect', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.disconnect(id, connection.ownerId);
    expect(await store.rollForward(retained(id, { version: 9 }))).toMatchObject({ kind: 'rolled_forward' });
    expect(await store.find(id)).toMatchObject({ status: 'active', version: 9 });
    expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('finds nothing under an unknown id, nor under another client', async () => {
    const { store, storeOf } = storage();
    const { id } = await connectSome(store);
    expect(await store.rollForward(retained(randomUUID()))).toEqual({ kind: 'not_found' });
    expect(await storeOf('another-client').rollForward(retained(id))).toEqual({ kind: 'not_found' });
  });

  it('reads the versions of those that exist, however many are asked for', async () => {
    const { store, storeOf } = storage();
    const { id } = await connectSome(store);
    await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    const ids = [...Array.from({ length: 1_200 }, () => randomUUID()), id, `' OR 1=1`];
    expect([...(await store.readVersions(ids))]).toEqual([[id, 2]]);
    expect(await storeOf('another-client').readVersions([id])).toEqual(new Map());
    expect(await store.readVersions([])).toEqual(new Map());
  });
}
