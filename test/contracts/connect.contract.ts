import { expect, it } from '@jest/globals';
import {
  claimed,
  connectSome,
  someConnection,
  someGrant,
  somePair,
  type StorageEngine,
} from '../support/storage.harness.js';
import { revealed, revealedPair, rowOf, useStorage } from '../support/use-storage.js';

export function connectContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  it('keeps everything Notion says of a grant', async () => {
    const { store } = storage();
    const { id, connection, result } = await connectSome(store, {
      grant: someGrant({ workspaceName: 'Ünïcødé 🏔️\u0000', duplicatedTemplateId: 'template-1' }),
    });
    expect(result).toMatchObject({
      kind: 'connected',
      authorization: {
        ...connection.grant,
        workspaceName: 'Ünïcødé 🏔️',
        id,
        clientId: connection.clientId,
        redirectUri: connection.redirectUri,
        status: 'active',
        reason: null,
        version: 1,
        hasRefreshToken: true,
        lastAttemptAt: null,
        lastSuccessAt: null,
        accessTokenExpiresAt: null,
      },
    });
    const { createdAt } = (await store.find(id))!;
    expect(Math.abs(createdAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  it('renews the same grant under its old id (T11)', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store, {
      grant: someGrant({ duplicatedTemplateId: 'template-1' }),
    });
    await store.settle(
      await claimed(store, id),
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead' },
    );
    const pair = somePair();
    const grant = { ...connection.grant, duplicatedTemplateId: null, workspaceName: 'Acme, renamed' };
    expect(await store.connect({ ...connection, pair, grant, reconnect: id })).toMatchObject({
      kind: 'reconnected',
      authorization: {
        id,
        version: 2,
        status: 'active',
        reason: null,
        workspaceName: 'Acme, renamed',
        duplicatedTemplateId: 'template-1',
      },
    });
    expect((await claimed(store, id, 2)).refreshToken.equals(pair.refreshToken!)).toBe(true);
  });

  it('finds a grant whose bot id changed by its workspace and person', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const grant = { ...connection.grant, botId: someGrant().botId };
    expect(await store.connect({ ...connection, grant })).toMatchObject({
      kind: 'reconnected',
      authorization: { id, botId: grant.botId, version: 2 },
    });
  });

  it('does not take two workspace grants without a person for one', async () => {
    const { store } = storage();
    const grant = someGrant({ ownerKind: 'workspace', ownerUserId: null });
    const first = await connectSome(store, { grant });
    const second = await connectSome(store, { grant: { ...grant, botId: someGrant().botId } });
    expect(second.id).not.toBe(first.id);
  });

  it('keeps one authorization when the same grant arrives many times at once', async () => {
    const { store } = storage();
    const other = await storage().join();
    const grant = someGrant();
    const stores = [store, other.store];
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, n) => stores[n % 2]!.connect(someConnection({ grant }))),
    );
    const ids = results.map((result) => ('authorization' in result ? result.authorization.id : null));
    expect(new Set(ids).size).toBe(1);
    expect(results.filter(({ kind }) => kind === 'connected')).toHaveLength(1);
    expect((await store.find(ids[0]!))!.version).toBe(12);
  });

  it('links every owner who connects the same grant, and lets each leave by itself', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const second = await connectSome(store, { grant: connection.grant });
    expect(second.id).toBe(id);
    expect(await store.disconnect(id, connection.ownerId)).toEqual({ kind: 'unlinked' });
    expect(await store.findForOwner(id, connection.ownerId)).toBeNull();
    expect(await store.findForOwner(id, second.connection.ownerId)).toMatchObject({
      status: 'active',
      version: 2,
    });
    const last = await store.disconnect(id, second.connection.ownerId);
    expect(last.kind).toBe('disconnected');
  });

  it('refuses a reconnect that comes back as another grant, and changes nothing', async () => {
    const { store } = storage();
    const mine = await connectSome(store);
    const before = await rowOf(storage(), mine.id);
    const attempt = { ...mine.connection, reconnect: mine.id, grant: someGrant(), pair: somePair() };
    expect(await store.connect(attempt)).toMatchObject({ kind: 'other_grant', renewed: null, stored: null });
    expect(await rowOf(storage(), mine.id)).toEqual(before);
  });

  it('links no owner to an authorization that they ask to reconnect and do not have', async () => {
    const { store } = storage();
    const mine = await connectSome(store);
    const theirs = await connectSome(store);
    const { grant } = theirs.connection;
    await store.connect({ ...mine.connection, reconnect: theirs.id, grant, pair: somePair() });
    expect(await store.findForOwner(theirs.id, mine.connection.ownerId)).toBeNull();
  });

  it('does not lose a refresh token to a grant that came without one', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.connect({ ...connection, pair: somePair({ refreshToken: null }) });
    expect((await claimed(store, id, 2)).refreshToken.equals(connection.pair.refreshToken!)).toBe(true);
  });

  it('drops a refresh token that Notion refused when the new grant came without one', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.settle(
      await claimed(store, id),
      { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard: null },
      { outcome: 'dead' },
    );
    await store.connect({ ...connection, pair: somePair({ refreshToken: null }) });
    expect(await store.find(id)).toMatchObject({ status: 'active', hasRefreshToken: false });
  });

  it('erases the tokens when the last owner leaves, and hands them to the outbox (T12)', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    expect(await store.disconnect(id, 'somebody else')).toEqual({ kind: 'not_found' });
    const result = await store.disconnect(id, connection.ownerId);
    if (result.kind !== 'disconnected') throw new Error(result.kind);
    expect(revealed(result.revocations)).toEqual(revealedPair(connection.pair));
    expect(await rowOf(storage(), id)).toMatchObject({
      status: 'revoked',
      version: 2,
      sealedAccessToken: null,
      sealedRefreshToken: null,
      keyId: null,
      attemptId: null,
    });
    expect(await store.disconnect(id, connection.ownerId)).toEqual({ kind: 'not_found' });
  });

  it('brings a disconnected grant back under its id', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.disconnect(id, connection.ownerId);
    expect(await store.connect({ ...connection, pair: somePair() })).toMatchObject({
      authorization: { id, status: 'active', version: 3 },
    });
    expect(await store.findForOwner(id, connection.ownerId)).not.toBeNull();
  });

  it('tells owners apart by every character', async () => {
    const { store } = storage();
    const { id } = await connectSome(store, { ownerId: 'Alice' });
    for (const ownerId of ['alice', 'Alice ', 'Alicé']) {
      expect(await store.findForOwner(id, ownerId)).toBeNull();
      expect(await store.disconnect(id, ownerId)).toEqual({ kind: 'not_found' });
    }
  });

  it('refuses an owner who is not a proper string, and a grant of another client', async () => {
    const { store } = storage();
    for (const ownerId of [undefined, null, {}, [], '', 0, 'x'.repeat(256), 'a\u0000b']) {
      await expect(store.connect(someConnection({ ownerId: ownerId as never }))).rejects.toThrow(TypeError);
      await expect(store.listForOwner(ownerId as never)).rejects.toThrow(TypeError);
    }
    await expect(store.connect(someConnection({ clientId: 'another' }))).rejects.toThrow(TypeError);
  });
}
