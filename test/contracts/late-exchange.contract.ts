import { describe, expect, it } from '@jest/globals';
import type { Authorization } from '../../src/domain/authorization.js';
import type { AuthorizationStore, NewConnection } from '../../src/domain/authorization-store.js';
import {
  claimed,
  connectSome,
  someConnection,
  someGrant,
  somePair,
  type StorageEngine,
} from '../support/storage.harness.js';
import { revealed, revealedPair, rowOf, useStorage } from '../support/use-storage.js';

/** What may happen to a grant between a code exchange and the moment its token pair can be stored. */
export function lateExchangeContract(engine: StorageEngine): void {
  describe('an exchange that is stored late', () => {
    const storage = useStorage(engine);
    const store = (): AuthorizationStore => storage().store;

    /** Some milliseconds back, which no engine's clock has trouble to tell apart from now. */
    async function secondsAgo(seconds: number): Promise<number> {
      const { authorization } = await connected(someConnection());
      return authorization.createdAt.getTime() - seconds * 1_000;
    }

    async function connected(
      connection: NewConnection,
    ): Promise<{ kind: string; authorization: Authorization }> {
      const result = await store().connect(connection);
      if (!('authorization' in result)) throw new Error(`not connected: ${result.kind}`);
      return result;
    }

    async function tokenOf(id: string): Promise<string | undefined> {
      return (await store().readAccessToken(id))?.token?.reveal();
    }

    it('is stored once, however often it is repeated', async () => {
      const exchange = someConnection({ exchangedAtMs: await secondsAgo(60) });
      const { authorization } = await connected(exchange);
      expect(await store().connect(exchange)).toMatchObject({
        kind: 'reconnected',
        authorization: { id: authorization.id, version: 1 },
        stored: null,
      });
    });

    it('does not come back over a pair that was refreshed from it', async () => {
      const exchange = someConnection({ exchangedAtMs: await secondsAgo(60) });
      const { id } = (await connected(exchange)).authorization;
      const next = somePair();
      await store().storePair(await claimed(store(), id), next, { outcome: 'success' });
      await connected(exchange);
      expect(await tokenOf(id)).toBe(next.accessToken.reveal());
      expect(await store().find(id)).toMatchObject({ version: 2 });
    });

    it('replaces a pair of an older exchange, also one that was refreshed since', async () => {
      const old = await connectSome(store(), { exchangedAtMs: await secondsAgo(120) });
      await store().storePair(await claimed(store(), old.id), somePair(), { outcome: 'success' });
      const late = someConnection({ grant: old.connection.grant, exchangedAtMs: await secondsAgo(60) });
      await connected(late);
      expect(await tokenOf(old.id)).toBe(late.pair.accessToken.reveal());
    });

    it('recovers a grant that needs a reconnect because of this very exchange', async () => {
      const old = await connectSome(store(), { exchangedAtMs: await secondsAgo(120) });
      await store().settle(
        await claimed(store(), old.id),
        { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
        { outcome: 'dead' },
      );
      const late = someConnection({ grant: old.connection.grant, exchangedAtMs: await secondsAgo(60) });
      expect((await connected(late)).authorization).toMatchObject({ id: old.id, status: 'active' });
    });

    it('does not replace the pair of a later exchange, and links its owner all the same', async () => {
      const newer = await connectSome(store(), { exchangedAtMs: await secondsAgo(60) });
      const late = someConnection({
        grant: newer.connection.grant,
        exchangedAtMs: newer.connection.exchangedAtMs! - 1,
      });
      expect((await store().connect(late)).stored).toBeNull();
      expect(await tokenOf(newer.id)).toBe(newer.connection.pair.accessToken.reveal());
      expect(await store().findForOwner(newer.id, late.ownerId)).toMatchObject({ version: 1 });
    });

    it.each([false, true])(
      'brings nothing back that was disconnected since, and revokes its pair (reconnect: %s)',
      async (isReconnect) => {
        const { id, connection } = await connectSome(store(), { exchangedAtMs: await secondsAgo(120) });
        const late = {
          ...connection,
          pair: somePair(),
          reconnect: isReconnect ? id : null,
          exchangedAtMs: await secondsAgo(60),
        };
        await store().disconnect(id, connection.ownerId);
        const before = await rowOf(storage(), id);
        const result = await store().connect(late);
        expect(result).toMatchObject({ kind: 'disconnected', stored: null });
        expect(result.kind === 'disconnected' && revealed(result.revocations)).toEqual(
          revealedPair(late.pair),
        );
        expect(await rowOf(storage(), id)).toEqual(before);
        expect(await store().findForOwner(id, connection.ownerId)).toBeNull();
      },
    );

    it('brings a grant back that was disconnected before', async () => {
      const { id, connection } = await connectSome(store(), { exchangedAtMs: await secondsAgo(120) });
      await store().disconnect(id, connection.ownerId);
      const { authorization } = await connected({
        ...connection,
        pair: somePair(),
        exchangedAtMs: (await secondsAgo(0)) + 1,
      });
      expect(authorization).toMatchObject({ id, status: 'active' });
    });

    it.each([false, true])(
      'stores the pair for those who stay, and does not link an owner who left since (reconnect: %s)',
      async (isReconnect) => {
        const { id, connection } = await connectSome(store(), { exchangedAtMs: await secondsAgo(120) });
        const stays = await connectSome(store(), { grant: connection.grant });
        const late = {
          ...connection,
          pair: somePair(),
          reconnect: isReconnect ? id : null,
          // Not by a time of its row: PostgreSQL reads its clock for each column.
          exchangedAtMs: (await secondsAgo(0)) + 1,
        };
        while ((await secondsAgo(0)) <= late.exchangedAtMs);
        await store().disconnect(id, connection.ownerId);
        expect(await store().connect(late)).toMatchObject({
          kind: 'disconnected',
          stored: { authorizationId: id },
          revocations: [],
        });
        expect(await tokenOf(id)).toBe(late.pair.accessToken.reveal());
        expect(await store().findForOwner(id, connection.ownerId)).toBeNull();
        expect(await store().findForOwner(id, stays.connection.ownerId)).not.toBeNull();
      },
    );

    it('is stored although the database clock was ahead when the row was written', async () => {
      const ahead = await connectSome(store(), { exchangedAtMs: (await secondsAgo(0)) + 3_600_000 });
      const late = someConnection({ grant: ahead.connection.grant, exchangedAtMs: await secondsAgo(1) });
      await connected(late);
      expect(await tokenOf(ahead.id)).toBe(late.pair.accessToken.reveal());
    });
  });

  describe('a reconnect that comes back as another grant', () => {
    const storage = useStorage(engine);

    it('renews that grant where it is connected already, and changes nothing else', async () => {
      const { store } = storage();
      const mine = await connectSome(store);
      const other = await connectSome(store, { ownerId: mine.connection.ownerId });
      const before = await rowOf(storage(), mine.id);
      const pair = somePair();
      const result = await store.connect({ ...other.connection, pair, reconnect: mine.id });
      expect(result).toMatchObject({
        kind: 'other_grant',
        expected: { id: mine.id },
        renewed: { id: other.id, version: 2 },
        stored: { authorizationId: other.id, version: 2 },
      });
      expect(await rowOf(storage(), mine.id)).toEqual(before);
      expect((await store.readAccessToken(other.id))?.token?.reveal()).toBe(pair.accessToken.reveal());
    });

    it('renews the grant of another owner, links nobody to it, and does not name it', async () => {
      const { store } = storage();
      const mine = await connectSome(store);
      const theirs = await connectSome(store);
      const pair = somePair();
      const { grant } = theirs.connection;
      expect(await store.connect({ ...mine.connection, grant, pair, reconnect: mine.id })).toMatchObject({
        kind: 'other_grant',
        renewed: null,
        stored: { authorizationId: theirs.id, version: 2 },
      });
      expect((await store.readAccessToken(theirs.id))?.token?.reveal()).toBe(pair.accessToken.reveal());
      expect(await store.findForOwner(theirs.id, mine.connection.ownerId)).toBeNull();
      expect(await store.findForOwner(theirs.id, theirs.connection.ownerId)).not.toBeNull();
    });

    it('stores nothing for a grant that is unknown or disconnected', async () => {
      const { store } = storage();
      const mine = await connectSome(store);
      const gone = await connectSome(store);
      await store.disconnect(gone.id, gone.connection.ownerId);
      const before = [await rowOf(storage(), mine.id), await rowOf(storage(), gone.id)];
      for (const grant of [someGrant(), gone.connection.grant]) {
        expect(
          await store.connect({ ...mine.connection, grant, pair: somePair(), reconnect: mine.id }),
        ).toMatchObject({ kind: 'other_grant', renewed: null, stored: null });
      }
      expect([await rowOf(storage(), mine.id), await rowOf(storage(), gone.id)]).toEqual(before);
    });
  });
}
