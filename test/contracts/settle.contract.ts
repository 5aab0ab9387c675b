import { expect, it } from '@jest/globals';
import { claimed, claimOf, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { attemptsOn, letTimePass, rowOf, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;

export function settleContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  it('frees the row after a release (T2) and keeps how the attempt ended', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    const ending = {
      outcome: 'not_sent',
      failure: { status: 502, code: `ECONN\u0000${'x'.repeat(100)}`, requestId: 'req-1' },
      upstreamMs: 12.6,
    } as const;
    expect(await store.settle(claim, { kind: 'release' }, ending)).toBe('settled');
    expect(await attemptsOn(storage(), id)).toMatchObject([
      { outcome: 'not_sent', httpStatus: 502, requestId: 'req-1', upstreamMs: 13 },
    ]);
    expect(await rowOf(storage(), id)).toMatchObject({
      attemptId: null,
      attemptPhase: null,
      leaseUntil: null,
    });
    expect((await claimed(store, id)).recovering).toBeNull();
  });

  it('lets nobody claim before a postponement is over (T3)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await store.settle(
      await claimed(store, id),
      { kind: 'postpone', retryInMs: 60_000 },
      { outcome: 'not_processed', failure: { status: 429, code: 'rate_limited' } },
    );
    const refused = await claimOf(store, id);
    expect(refused).toMatchObject({ kind: 'postponed' });
    expect((refused as { retryInMs: number }).retryInMs).toBeLessThanOrEqual(60_000);
    const due = await store.claimDue({ olderThanMs: -1_000, limit: 1_000, leaseMs: 1 });
    expect(due.map(({ authorizationId }) => authorizationId)).not.toContain(id);
    await letTimePass(storage(), id, 60_000);
    expect((await claimed(store, id)).recovering).toBeNull();
  });

  it('keeps the refused token and its version when only the person can help (T5)', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const before = await store.find(id);
    const settled = await store.settle(
      await claimed(store, id),
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead', failure: { status: 400, code: 'invalid_grant' } },
    );
    expect(settled).toBe('settled');
    const after = await store.find(id);
    expect(after).toMatchObject({
      status: 'needs_reconnect',
      reason: 'revoked_or_expired',
      version: 1,
      hasRefreshToken: true,
    });
    expect(after!.statusSince.getTime()).toBeGreaterThanOrEqual(before!.statusSince.getTime());
    const row = await rowOf(storage(), id);
    expect(row.refusedRefreshTokenFingerprint).not.toBeNull();
    expect(row.refusedRefreshTokenFingerprint).not.toContain(connection.pair.refreshToken!.reveal());
    // The old access token may still live (R17).
    expect((await store.readAccessToken(id))!.token!.equals(connection.pair.accessToken)).toBe(true);
  });

  it('keeps an unknown outcome for the next attempt to resolve (T6, T7)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const first = await claimed(store, id);
    expect(
      await store.settle(
        first,
        { kind: 'unknown', retryInMs: 0, sent: true, replayed: false },
        { outcome: 'unknown' },
      ),
    ).toBe('settled');
    expect(await rowOf(storage(), id)).toMatchObject({ status: 'active', attemptPhase: 'unknown' });
    await letTimePass(storage(), id, HOUR_MS);
    const { ageMs } = (await claimed(store, id)).recovering!;
    expect(ageMs).toBeGreaterThanOrEqual(HOUR_MS);
    expect(ageMs).toBeLessThan(2 * HOUR_MS);
  });

  it('postpones the next look at an unknown outcome', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await store.settle(
      await claimed(store, id),
      { kind: 'unknown', retryInMs: 60_000, sent: true, replayed: false },
      { outcome: 'unknown' },
    );
    expect(await claimOf(store, id)).toMatchObject({ kind: 'postponed' });
  });

  it.each([
    ['release', { kind: 'release' }, 'not_sent'],
    ['postpone', { kind: 'postpone', retryInMs: 0 }, 'not_processed'],
    ['unknown', { kind: 'unknown', retryInMs: 0, sent: false, replayed: false }, 'unknown'],
  ] as const)(
    'does not forget an unresolved attempt when the one that came to resolve it ends in %s',
    async (_, settlement, outcome) => {
      const { store } = storage();
      const { id } = await connectSome(store);
      await store.settle(
        await claimed(store, id),
        { kind: 'unknown', retryInMs: 0, sent: true, replayed: false },
        { outcome: 'unknown' },
      );
      await letTimePass(storage(), id, 40);
      const resolver = await claimed(store, id);
      expect(await store.settle(resolver, settlement, { outcome })).toBe('settled');
      expect(await rowOf(storage(), id)).toMatchObject({ status: 'active', attemptPhase: 'unknown' });
      await letTimePass(storage(), id, 10);
      expect((await claimed(store, id)).recovering!.ageMs).toBeGreaterThanOrEqual(50);
    },
  );

  it('counts the quarantine anew from an attempt that may have been sent (quarantineFromLastSend)', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const unknown = { kind: 'unknown', retryInMs: 0, sent: true, replayed: false } as const;
    await store.settle(await claimed(store, id), unknown, { outcome: 'unknown' });
    await letTimePass(storage(), id, HOUR_MS);
    await store.settle(await claimed(store, id), unknown, { outcome: 'unknown' });
    expect((await claimed(store, id)).recovering!.ageMs).toBeLessThan(HOUR_MS);
    await letTimePass(storage(), id, HOUR_MS);
    // That one's lease ran out: it may have been sent as well, so its own beginning counts.
    expect((await claimed(store, id)).recovering!.ageMs).toBeLessThan(2 * HOUR_MS);
  });

  it('changes nothing for an attempt that was taken over', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const late = await claimed(store, id);
    await letTimePass(storage(), id, HOUR_MS);
    const present = await claimed(store, id);
    expect(
      await store.settle(
        late,
        { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
        { outcome: 'dead' },
      ),
    ).toBe('superseded');
    expect(await store.settle(late, { kind: 'release' }, { outcome: 'not_sent' })).toBe('superseded');
    expect(await store.find(id)).toMatchObject({ status: 'active', reason: null });
    expect((await attemptsOn(storage(), id))[0]).toMatchObject({ outcome: 'unknown' });
    expect(await store.settle(present, { kind: 'release' }, { outcome: 'not_sent' })).toBe('settled');
  });

  it('settles an attempt once', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    expect(
      await store.settle(
        claim,
        { kind: 'unknown', retryInMs: 0, sent: true, replayed: false },
        { outcome: 'unknown' },
      ),
    ).toBe('settled');
    expect(await store.settle(claim, { kind: 'release' }, { outcome: 'not_sent' })).toBe('superseded');
    expect(await rowOf(storage(), id)).toMatchObject({ attemptPhase: 'unknown' });
  });

  it('journals the end of an attempt that a reconnect overtook, and leaves the row alone', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const claim = await claimed(store, id);
    await store.connect({ ...connection, pair: somePair() });
    expect(
      await store.settle(
        claim,
        { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
        { outcome: 'dead' },
      ),
    ).toBe('superseded');
    expect(await store.find(id)).toMatchObject({ status: 'active', version: 2 });
    expect(await attemptsOn(storage(), id)).toMatchObject([{ outcome: 'dead' }]);
  });
}
