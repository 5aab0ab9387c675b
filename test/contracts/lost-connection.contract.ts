import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TypeOrmAuthorizationStore } from '../../src/storage/typeorm-authorization.store.js';
import { CommitCutter } from '../support/commit.cutter.js';
import {
  claimed,
  claimOf,
  connectSome,
  someConnection,
  somePair,
  type StorageEngine,
  type StorageProcess,
} from '../support/storage.harness.js';
import {
  attemptsOn,
  revealed,
  revealedPair,
  revocationsOf,
  rowOf,
  useStorage,
} from '../support/use-storage.js';

const SUCCESS = { outcome: 'success' } as const;

/** What a step must come to when the connection breaks under its commit, whether or not that was made. */
export function lostConnectionContract(engine: StorageEngine): void {
  describe(`a connection to ${engine.name} that breaks under a commit`, () => {
    const storage = useStorage(engine);
    let cutter: CommitCutter;
    let store: TypeOrmAuthorizationStore;
    let storeOf: StorageProcess['storeOf'];

    beforeAll(async () => {
      const { options } = storage().database.dataSource;
      const url = new URL((options as { url: string }).url);
      cutter = await CommitCutter.before(url.hostname, Number(url.port));
      url.port = String(cutter.port);
      ({ store, storeOf } = await storage().join({ url: url.href }));
    });

    afterAll(() => cutter.close());

    describe.each(['made', 'lost'] as const)('which is %s', (cut) => {
      /** Lets the commit of `step` be cut; the test fails if it was not. */
      async function cutting<T>(step: () => Promise<T>): Promise<T> {
        const before = cutter.cuts;
        cutter.arm(cut);
        const result = await step();
        expect(cutter.cuts).toBe(before + 1);
        return result;
      }

      it('leaves a claim with the one who made it', async () => {
        const { id, connection } = await connectSome(storage().store);
        const claim = await cutting(() => claimed(store, id, 1, 60_000));
        expect(claim).toMatchObject({ spentVersion: 1, recovering: null });
        expect(claim.refreshToken.equals(connection.pair.refreshToken!)).toBe(true);
        expect(await attemptsOn(storage(), id)).toMatchObject([{ id: claim.attemptId, outcome: null }]);
        expect(await rowOf(storage(), id)).toMatchObject({ attemptId: claim.attemptId });
        expect(await claimOf(storage().store, id)).toMatchObject({ kind: 'claimed_elsewhere' });
        expect(await store.storePair(claim, somePair(), SUCCESS)).toEqual({ stored: true, version: 2 });
      });

      it('leaves a batch of claims with the one who made it', async () => {
        const clientId = `client-${randomUUID()}`;
        const mine = storeOf(clientId);
        for (let n = 0; n < 3; n += 1) await connectSome(mine, { clientId });
        await sleep(5);
        const claims = await cutting(() => mine.claimDue({ olderThanMs: 0, limit: 9, leaseMs: 60_000 }));
        expect(claims).toHaveLength(3);
        for (const { authorizationId, attemptId } of claims) {
          expect(await rowOf(storage(), authorizationId)).toMatchObject({ attemptId });
          expect(await attemptsOn(storage(), authorizationId)).toMatchObject([{ id: attemptId }]);
        }
      });

      it('stores a pair once', async () => {
        const { id } = await connectSome(store);
        const claim = await claimed(store, id);
        const pair = somePair();
        expect(await cutting(() => store.storePair(claim, pair, SUCCESS))).toEqual({
          stored: true,
          version: 2,
        });
        expect((await store.readAccessToken(id))!.token!.equals(pair.accessToken)).toBe(true);
        expect(await attemptsOn(storage(), id)).toMatchObject([{ outcome: 'success' }]);
      });

      it('stores each of several pairs once', async () => {
        const ids = await Promise.all(Array.from({ length: 6 }, async () => (await connectSome(store)).id));
        const claims = await Promise.all(ids.map((id) => claimed(store, id)));
        const verdicts = await cutting(() =>
          Promise.all(claims.map((claim) => store.storePair(claim, somePair(), SUCCESS))),
        );
        expect(verdicts).toEqual(claims.map(() => ({ stored: true, version: 2 })));
        expect([...(await store.readVersions(ids)).values()]).toEqual(ids.map(() => 2));
      });

      it('settles an attempt, and says so', async () => {
        const { id } = await connectSome(store);
        const claim = await claimed(store, id);
        const settlement = { kind: 'postpone', retryInMs: 60_000 } as const;
        expect(await cutting(() => store.settle(claim, settlement, { outcome: 'not_processed' }))).toBe(
          'settled',
        );
        expect(await rowOf(storage(), id)).toMatchObject({ attemptId: null });
        expect(await attemptsOn(storage(), id)).toMatchObject([{ outcome: 'not_processed' }]);
      });

      it('rolls a row forward once', async () => {
        const { id } = await connectSome(store);
        const pair = somePair();
        await cutting(() =>
          store.rollForward({ kind: 'pair', authorizationId: id, version: 3, pair, attemptId: null }),
        );
        expect(await store.readAccessToken(id)).toMatchObject({ version: 3, status: 'active' });
      });

      it('connects once, under one version', async () => {
        const connection = someConnection();
        const first = await cutting(() => store.connect(connection));
        expect(first).toMatchObject({ kind: 'connected', authorization: { version: 1 } });
        const pair = somePair();
        const again = await cutting(() => store.connect({ ...connection, pair }));
        expect(again).toMatchObject({ kind: 'reconnected', authorization: { version: 2 } });
        expect(await storage().store.listForOwner(connection.ownerId)).toMatchObject([{ version: 2 }]);
      });

      it('disconnects, and hands out the tokens that are to be revoked', async () => {
        const { id, connection } = await connectSome(store);
        const result = await cutting(() => store.disconnect(id, connection.ownerId));
        expect(result.kind).toBe('disconnected');
        const revocations = result.kind === 'disconnected' ? result.revocations : [];
        expect(revealed(revocations)).toEqual(revealedPair(connection.pair));
        expect(await revocationsOf(storage(), id)).toHaveLength(2);
        expect(await store.find(id)).toMatchObject({ status: 'revoked', version: 2 });
      });
    });

    it('gives a claim back to the caller who asks again when the database was away for longer', async () => {
      const { id } = await connectSome(store);
      await store.find(id);
      // The commit is made, and then nobody answers for longer than the store is patient.
      cutter.arm('made');
      cutter.refuse(true);
      await expect(claimOf(store, id)).rejects.toThrow();
      cutter.refuse(false);
      const row = await rowOf(storage(), id);
      expect(row.attemptPhase).toBe('in_flight');
      const claim = await claimed(store, id);
      expect(claim).toMatchObject({ attemptId: row.attemptId, recovering: null });
      expect((await rowOf(storage(), id)).leaseUntil).toBeGreaterThan(row.leaseUntil!);
      expect(await attemptsOn(storage(), id)).toHaveLength(1);
    });

    it('is told to whoever watches connections', async () => {
      const seen: string[] = [];
      const other = await storage().join();
      other.database.connections.listen(() => seen.push('changed'));
      const ask = () => other.database.read(({ manager }) => manager.query('SELECT 1'));
      await Promise.all([ask(), ask(), ask()]);
      expect(seen.length).toBeGreaterThanOrEqual(1);
    });
  });
}
