import { expect, it, jest } from '@jest/globals';
import {
  claimed,
  claimOf,
  connectSome,
  somePair,
  testCipher,
  CLIENT_ID,
  type StorageEngine,
} from '../support/storage.harness.js';
import { attemptsOn, letTimePass, rowOf, run, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function claimContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  it('hands out the refresh token once, with the version it belongs to', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const claim = await claimed(store, id);
    expect(claim).toMatchObject({ authorizationId: id, spentVersion: 1, leaseMs: 60_000, recovering: null });
    expect(claim.refreshToken.equals(connection.pair.refreshToken!)).toBe(true);
    expect(claim.accessToken!.equals(connection.pair.accessToken)).toBe(true);
    const second = await claimOf(store, id);
    expect(second).toMatchObject({ kind: 'claimed_elsewhere' });
    expect((second as { leaseLeftMs: number }).leaseLeftMs).toBeGreaterThan(50_000);
  });

  it('writes the attempt into the journal together with the claim', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    expect(await attemptsOn(storage(), id)).toMatchObject([
      {
        id: claim.attemptId,
        triggeredBy: 'unauthorized',
        spentVersion: 1,
        outcome: null,
        endedAt: null,
        isRecovering: false,
      },
    ]);
    const row = await rowOf(storage(), id);
    expect(row).toMatchObject({ attemptId: claim.attemptId, attemptPhase: 'in_flight' });
    expect(row.lastAttemptAt).not.toBeNull();
  });

  it('gives one of 50 parallel claims over two connections the right to send', async () => {
    const other = await storage().join();
    const { id } = await connectSome(storage().store);
    const stores = [storage().store, other.store];
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => claimOf(stores[n % 2]!, id)));
    expect(results.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'claimed_elsewhere')).toHaveLength(49);
    expect(await attemptsOn(storage(), id)).toHaveLength(1);
  });

  it('says that the row has moved, forward or back, instead of spending a token nobody saw', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    expect(await claimOf(store, id, 1)).toEqual({ kind: 'moved', version: 2 });
    expect(await claimOf(store, id, 3)).toEqual({ kind: 'moved', version: 2 });
    expect(await claimOf(store, id, 2)).toMatchObject({ kind: 'claimed' });
  });

  it('knows no authorization under another id, and none of another client', async () => {
    const { store, storeOf } = storage();
    const { id } = await connectSome(store);
    expect(await claimOf(store, '00000000-0000-4000-8000-000000000000')).toEqual({ kind: 'not_found' });
    expect(await claimOf(store, `' OR 1=1--`)).toEqual({ kind: 'not_found' });
    expect(await claimOf(storeOf('another-client'), id)).toEqual({ kind: 'not_found' });
  });

  it('refuses an id that is not a string', async () => {
    const { store } = storage();
    for (const id of [undefined, null, {}, { $ne: 1 }, ['x'], 7]) {
      await expect(claimOf(store, id as never)).rejects.toThrow(TypeError);
      await expect(store.find(id as never)).rejects.toThrow(TypeError);
      await expect(store.readAccessToken(id as never)).rejects.toThrow(TypeError);
    }
  });

  it('lets the next one take over when the lease is over by the database clock, and calls it recovering', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const first = await claimed(store, id);
    expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed_elsewhere' });
    await letTimePass(storage(), id, HOUR_MS);
    const second = await claimed(store, id);
    expect(second.attemptId).not.toBe(first.attemptId);
    expect(second.recovering!.ageMs).toBeGreaterThanOrEqual(HOUR_MS);
    expect(await attemptsOn(storage(), id)).toMatchObject([
      { id: first.attemptId, outcome: 'unknown' },
      { id: second.attemptId, outcome: null, isRecovering: true },
    ]);
  });

  it('counts the age of an unresolved version from the last attempt that may have been sent', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await claimed(store, id);
    await letTimePass(storage(), id, HOUR_MS);
    await claimed(store, id);
    await letTimePass(storage(), id, HOUR_MS);
    const { ageMs } = (await claimed(store, id)).recovering!;
    expect(ageMs).toBeGreaterThanOrEqual(HOUR_MS);
    expect(ageMs).toBeLessThan(2 * HOUR_MS);
  });

  it('does not ask the clock of this process', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await claimed(store, id);
    const realNow = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => realNow() + DAY_MS);
    try {
      expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed_elsewhere' });
    } finally {
      clock.mockRestore();
    }
  });

  it('refuses while only the person can help, and after a disconnect', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const claim = await claimed(store, id);
    await store.settle(
      claim,
      { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
      { outcome: 'lost' },
    );
    expect(await claimOf(store, id)).toEqual({ kind: 'needs_reconnect', reason: 'lost_rotation' });
    await store.disconnect(id, connection.ownerId);
    expect(await claimOf(store, id)).toEqual({ kind: 'revoked' });
  });

  it('has nothing to claim without a refresh token, and writes nothing about it', async () => {
    const { store } = storage();
    const { id } = await connectSome(store, { pair: somePair({ refreshToken: null }) });
    expect(await claimOf(store, id)).toEqual({ kind: 'needs_reconnect', reason: 'no_refresh_token' });
    expect(await store.find(id)).toMatchObject({ status: 'active', hasRefreshToken: false });
    expect(await store.markWithoutRefreshToken(id, 2)).toBe(false);
    expect(await store.markWithoutRefreshToken(id, 1)).toBe(true);
    expect(await store.find(id)).toMatchObject({
      status: 'needs_reconnect',
      reason: 'no_refresh_token',
      version: 1,
    });
  });

  it('never presents again a refresh token that was refused, even on a row that looks active', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    await store.settle(
      claim,
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead' },
    );
    await run(
      storage(),
      `UPDATE notion_authorization SET status = 'active', reason = NULL WHERE id = '${id}'`,
    );
    expect(await claimOf(store, id)).toEqual({ kind: 'needs_reconnect', reason: 'revoked_or_expired' });
  });

  it('leaves no claim behind when the journal cannot be written', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await run(storage(), 'ALTER TABLE notion_refresh_attempt RENAME TO elsewhere');
    try {
      await expect(claimOf(store, id)).rejects.toThrow();
    } finally {
      await run(storage(), 'ALTER TABLE elsewhere RENAME TO notion_refresh_attempt');
    }
    expect(await rowOf(storage(), id)).toMatchObject({ attemptId: null, leaseUntil: null });
    expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed' });
  });

  it('leaves no claim behind when no key opens the token', async () => {
    const { store, storeOf } = storage();
    const { id } = await connectSome(store);
    const withoutKey = storeOf(CLIENT_ID, testCipher());
    await expect(claimOf(withoutKey, id)).rejects.toMatchObject({ code: 'notion_key_error' });
    expect(await store.find(id)).toMatchObject({ status: 'active', lastAttemptAt: null });
    expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed' });
  });
}
