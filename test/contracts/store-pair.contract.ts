import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from '../../src/domain/authorization-store.js';
import { claimed, claimOf, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import {
  attemptsOn,
  eventsOf,
  revealed,
  revealedPair,
  revocationsOf,
  rowOf,
  useStorage,
} from '../support/use-storage.js';

const SUCCESS = { outcome: 'success', upstreamMs: 150 } as const;

export function storePairContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  /** A claim whose lease ended; the attempt that took over found the authorization dead. */
  async function lateClaim(id: string): Promise<Claim> {
    const { store } = storage();
    const late = await claimed(store, id, 1, 20);
    await sleep(50);
    await store.settle(
      await claimed(store, id),
      { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
      { outcome: 'lost' },
    );
    return late;
  }

  it('moves the version by one and frees the row (T4)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const pair = somePair({ expiresInMs: 3_600_000 });
    expect(await store.storePair(await claimed(store, id), pair, SUCCESS)).toEqual({
      stored: true,
      version: 2,
    });
    const stored = await store.readAccessToken(id);
    expect(stored).toMatchObject({ status: 'active', version: 2, reason: null });
    expect(stored!.token!.equals(pair.accessToken)).toBe(true);
    expect(stored!.token).toMatchObject({ authorizationId: id, version: 2 });
    expect(stored!.expiresInMs).toBeGreaterThan(3_500_000);
    expect((await store.find(id))!.lastSuccessAt).not.toBeNull();
    expect(await attemptsOn(storage(), id)).toMatchObject([{ outcome: 'success', upstreamMs: 150 }]);
    expect((await claimed(store, id, 2)).refreshToken.equals(pair.refreshToken!)).toBe(true);
  });

  it('keeps the old refresh token, sealed anew, when Notion gives none', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.storePair(await claimed(store, id), somePair({ refreshToken: null }), SUCCESS);
    expect(await rowOf(storage(), id)).toMatchObject({ version: 2, refreshTokenKept: true });
    const next = await claimed(store, id, 2);
    expect(next.refreshToken.equals(connection.pair.refreshToken!)).toBe(true);
    await store.storePair(next, somePair(), SUCCESS);
    expect(await rowOf(storage(), id)).toMatchObject({ version: 3, refreshTokenKept: false });
  });

  it('accepts a late pair after a take-over, and lets the taker change nothing any more', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const late = await claimed(store, id, 1, 20);
    await sleep(50);
    const taker = await claimed(store, id);
    const pair = somePair();
    expect(await store.storePair(late, pair, SUCCESS)).toEqual({ stored: true, version: 2 });
    expect(
      await store.settle(
        taker,
        { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
        { outcome: 'lost' },
      ),
    ).toBe('superseded');
    expect(await store.storePair(taker, somePair(), SUCCESS)).toEqual({
      stored: false,
      version: 2,
      status: 'active',
      revocations: [],
    });
    expect((await store.readAccessToken(id))!.token!.equals(pair.accessToken)).toBe(true);
    expect((await attemptsOn(storage(), id))[0]).toMatchObject({ id: late.attemptId, outcome: 'success' });
  });

  it('lets a late pair win over needs_reconnect of the same version (X6)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const late = await lateClaim(id);
    expect(await store.storePair(late, somePair(), SUCCESS)).toEqual({ stored: true, version: 2 });
    expect(await store.find(id)).toMatchObject({ status: 'active', reason: null });
    expect(await claimOf(store, id, 2)).toMatchObject({ kind: 'claimed' });
  });

  it('raises recovered once for each late pair that ends needs_reconnect, alone and together with others', async () => {
    const { store } = storage();
    const ids = (await Promise.all(Array.from({ length: 20 }, () => connectSome(store)))).map(({ id }) => id);
    const healthy = await connectSome(store);
    const late = await Promise.all(ids.map((id) => lateClaim(id)));
    const pairs = late.map(() => somePair());
    await store.storePair(late[0]!, pairs[0]!, SUCCESS);
    const other = await claimed(store, healthy.id);
    // The first is stored again, as after a commit that was not confirmed.
    await Promise.all([
      store.storePair(other, somePair(), SUCCESS),
      ...late.map((claim, n) => store.storePair(claim, pairs[n]!, SUCCESS)),
    ]);
    for (const id of ids) {
      expect((await eventsOf(storage(), id)).sort()).toEqual(['connected', 'needs_reconnect', 'recovered']);
    }
    expect(await eventsOf(storage(), healthy.id)).toEqual(['connected']);
  });

  it('refuses a late pair after a reconnect', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const late = await claimed(store, id);
    const fresh = somePair();
    await store.connect({ ...connection, pair: fresh });
    expect(await store.storePair(late, somePair(), SUCCESS)).toEqual({
      stored: false,
      version: 2,
      status: 'active',
      revocations: [],
    });
    expect((await store.readAccessToken(id))!.token!.equals(fresh.accessToken)).toBe(true);
  });

  it('refuses a late pair after a disconnect and says so, for it is to be revoked', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const late = await claimed(store, id);
    await store.disconnect(id, connection.ownerId);
    const pair = somePair();
    const verdict = await store.storePair(late, pair, SUCCESS);
    expect(verdict).toMatchObject({ stored: false, version: 2, status: 'revoked' });
    expect(verdict.stored ? [] : revealed(verdict.revocations)).toEqual(revealedPair(pair));
    expect((await store.readAccessToken(id))!.token).toBeNull();
    // The two of the disconnect, and the two of the late pair.
    expect(await revocationsOf(storage(), id)).toHaveLength(4);
  });

  it('confirms a pair whose commit was made and whose confirmation was lost', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    const pair = somePair();
    await store.storePair(claim, pair, SUCCESS);
    expect(await store.storePair(claim, pair, SUCCESS)).toEqual({ stored: true, version: 2 });
    expect((await store.find(id))!.version).toBe(2);
  });

  it('stores one of 20 parallel pairs of the same version', async () => {
    const { store } = storage();
    const other = await storage().join();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    const stores = [store, other.store];
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        stores[n % 2]!.storePair({ ...claim, attemptId: `attempt-${String(n)}` }, somePair(), SUCCESS),
      ),
    );
    expect(verdicts.filter(({ stored }) => stored)).toHaveLength(1);
    expect((await store.find(id))!.version).toBe(2);
  });

  it('stores a pair whatever lifetime Notion announces', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const pair = somePair({ expiresInMs: 1e300 });
    expect(await store.storePair(await claimed(store, id), pair, SUCCESS)).toMatchObject({ stored: true });
    expect(
      await store.storePair(await claimed(store, id, 2), somePair({ expiresInMs: 0.5 }), SUCCESS),
    ).toMatchObject({ stored: true });
  });

  it('answers not_found for an authorization that is gone', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = { ...(await claimed(store, id)), authorizationId: '00000000-0000-4000-8000-000000000000' };
    expect(await store.storePair(claim, somePair(), SUCCESS)).toMatchObject({
      stored: false,
      version: 0,
      status: 'not_found',
    });
  });

  it('stores what comes at once, each under its own guard, and tells each caller its own verdict', async () => {
    const { store } = storage();
    const connected = await Promise.all(Array.from({ length: 80 }, () => connectSome(store)));
    const claims = await Promise.all(connected.map(({ id }) => claimed(store, id)));
    const pairs = claims.map((_, n) =>
      somePair({
        expiresInMs: n % 3 === 0 ? 3_600_000 : null,
        ...(n % 5 === 0 ? { refreshToken: null } : {}),
      }),
    );
    // Of these one was reconnected, one disconnected, one stored already, one never was.
    await store.connect({ ...connected[10]!.connection, pair: somePair() });
    await store.disconnect(claims[20]!.authorizationId, connected[20]!.connection.ownerId);
    await store.storePair(claims[30]!, pairs[30]!, SUCCESS);
    claims[40] = { ...claims[40]!, authorizationId: '00000000-0000-4000-8000-000000000000' };
    const verdicts = await Promise.all(
      claims.map((claim, n) => store.storePair(claim, pairs[n]!, { ...SUCCESS, upstreamMs: n })),
    );
    expect(verdicts[10]).toEqual({ stored: false, version: 2, status: 'active', revocations: [] });
    expect(verdicts[20]).toMatchObject({ stored: false, version: 2, status: 'revoked' });
    expect(verdicts[30]).toEqual({ stored: true, version: 2 });
    expect(verdicts[40]).toMatchObject({ stored: false, version: 0, status: 'not_found' });
    for (const [n, { authorizationId: id, attemptId }] of claims.entries()) {
      if ([10, 20, 30, 40].includes(n)) continue;
      expect(verdicts[n]).toEqual({ stored: true, version: 2 });
      const stored = await store.readAccessToken(id);
      expect(stored!.token!.equals(pairs[n]!.accessToken)).toBe(true);
      expect(stored!.expiresInMs === null).toBe(n % 3 !== 0);
      expect(await rowOf(storage(), id)).toMatchObject({
        attemptId: null,
        refreshTokenKept: n % 5 === 0,
        status: 'active',
      });
      expect(await attemptsOn(storage(), id)).toMatchObject([
        { id: attemptId, outcome: 'success', upstreamMs: n },
      ]);
      const next = await claimed(store, id, 2);
      const expected = pairs[n]!.refreshToken ?? connected[n]!.connection.pair.refreshToken!;
      expect(next.refreshToken.equals(expected)).toBe(true);
    }
  });
}
