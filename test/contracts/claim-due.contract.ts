import { expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  testCipher,
  claimed,
  claimOf,
  connectSome,
  somePair,
  type StorageEngine,
} from '../support/storage.harness.js';
import { attemptsOn, rowOf, run, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;
const DUE = { olderThanMs: HOUR_MS, limit: 100, leaseMs: 60_000 };

export function claimDueContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  function someClient() {
    const clientId = `client-${randomUUID()}`;
    const store = storage().storeOf(clientId);
    const connect = async () => (await connectSome(store, { clientId })).id;
    const age = (hours = 2) =>
      run(
        storage(),
        `UPDATE notion_authorization SET pair_stored_at = pair_stored_at - ${String(hours * HOUR_MS)} WHERE client_id = '${clientId}'`,
      );
    return { clientId, store, connect, age };
  }

  it('hands out each due row once among processes that ask at the same time', async () => {
    const { clientId, store, connect, age } = someClient();
    const ids = await Promise.all(Array.from({ length: 60 }, connect));
    await age();
    await connect();
    const other = (await storage().join()).storeOf(clientId);
    const claims: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      const batches = await Promise.all([store, other].map((one) => one.claimDue({ ...DUE, limit: 7 })));
      claims.push(...batches.flat().map(({ authorizationId }) => authorizationId));
    }
    expect(claims.toSorted()).toEqual(ids.toSorted());
  });

  it('claims as a single claim does: the token, the lease, the journal', async () => {
    const { store, connect, age } = someClient();
    const id = await connect();
    await age();
    const [claim] = await store.claimDue(DUE);
    expect(claim).toMatchObject({
      authorizationId: id,
      spentVersion: 1,
      leaseMs: 60_000,
      recovering: null,
      probing: null,
    });
    expect(await rowOf(storage(), id)).toMatchObject({
      attemptId: claim!.attemptId,
      attemptPhase: 'in_flight',
    });
    expect(await attemptsOn(storage(), id)).toMatchObject([
      { id: claim!.attemptId, triggeredBy: 'schedule', spentVersion: 1, outcome: null },
    ]);
    expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed_elsewhere' });
    expect(await store.storePair(claim!, somePair(), { outcome: 'success' })).toMatchObject({ stored: true });
  });

  it('passes over leased, postponed, unresolved, refused, dead and token-less rows', async () => {
    const { clientId, store, connect, age } = someClient();
    const leased = await connect();
    await claimed(store, leased);
    for (const settlement of [
      { kind: 'postpone', retryInMs: HOUR_MS },
      { kind: 'unknown', retryInMs: 0, replayed: false },
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
    ] as const) {
      await store.settle(await claimed(store, await connect()), settlement, { outcome: 'not_processed' });
    }
    await connectSome(store, { clientId, pair: somePair({ refreshToken: null }) });
    await age();
    expect(await store.claimDue(DUE)).toEqual([]);
  });

  it('goes on with the others where no key opens a token', async () => {
    const { clientId, connect, age, store } = someClient();
    await connect();
    const stranger = storage().storeOf(clientId, testCipher());
    const readable = await connectSome(stranger, { clientId });
    await age();
    expect(await stranger.claimDue(DUE)).toMatchObject([{ authorizationId: readable.id }]);
    expect(await stranger.claimDue(DUE)).toEqual([]);
    expect(await store.claimDue(DUE)).toEqual([]);
  });
}
