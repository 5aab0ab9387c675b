import { expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { AuthorizationEntity } from '../../src/storage/authorization.entity.js';
import { claimed, claimOf, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { rowOf, run, useStorage } from '../support/use-storage.js';

const OPENING_FAILS = { code: 'notion_key_error' };

export function atRestContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  it('E13: keeps the sealed tokens out of whatever selects an authorization', async () => {
    const { store, database } = storage();
    const { id, connection } = await connectSome(store);
    const [row] = await database.read(({ manager }) =>
      manager.getRepository(AuthorizationEntity).findBy({ id }),
    );
    expect(Object.keys(row!)).not.toContain('sealedAccessToken');
    expect(Object.keys(row!)).not.toContain('sealedRefreshToken');
    const shown = [await store.find(id), await store.readAccessToken(id), await claimOf(store, id)];
    const texts = [inspect(shown, { depth: 9 }), JSON.stringify(shown)];
    for (const text of texts) {
      expect(text).not.toContain(connection.pair.accessToken.reveal());
      expect(text).not.toContain(connection.pair.refreshToken!.reveal());
    }
  });

  it('E2: opens no token that was moved to the other column', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const { sealedAccessToken, sealedRefreshToken } = await rowOf(storage(), id);
    await run(
      storage(),
      `UPDATE notion_authorization SET sealed_access_token = '${sealedRefreshToken!}', ` +
        `sealed_refresh_token = '${sealedAccessToken!}' WHERE id = '${id}'`,
    );
    await expect(store.readAccessToken(id)).rejects.toMatchObject(OPENING_FAILS);
    await expect(claimOf(store, id)).rejects.toMatchObject(OPENING_FAILS);
  });

  it('E2: opens no token that was moved to another row', async () => {
    const { store } = storage();
    const [mine, theirs] = [await connectSome(store), await connectSome(store)];
    const { sealedAccessToken } = await rowOf(storage(), theirs.id);
    await run(
      storage(),
      `UPDATE notion_authorization SET sealed_access_token = '${sealedAccessToken!}' WHERE id = '${mine.id}'`,
    );
    await expect(store.readAccessToken(mine.id)).rejects.toMatchObject(OPENING_FAILS);
  });

  it("E2: opens no token of yesterday's version, and the person can still leave", async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const { sealedAccessToken, sealedRefreshToken } = await rowOf(storage(), id);
    await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    await run(
      storage(),
      `UPDATE notion_authorization SET sealed_access_token = '${sealedAccessToken!}', ` +
        `sealed_refresh_token = '${sealedRefreshToken!}' WHERE id = '${id}'`,
    );
    await expect(store.readAccessToken(id)).rejects.toMatchObject(OPENING_FAILS);
    await expect(claimOf(store, id, 2)).rejects.toMatchObject(OPENING_FAILS);
    expect(await store.disconnect(id, connection.ownerId)).toEqual({
      kind: 'disconnected',
      version: 3,
      revocations: [],
    });
  });

  it('lets a reconnect replace tokens that no key opens', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await run(
      storage(),
      `UPDATE notion_authorization SET sealed_refresh_token = 'damaged' WHERE id = '${id}'`,
    );
    await store.connect({ ...connection, pair: somePair() });
    expect(await claimOf(store, id, 2)).toMatchObject({ kind: 'claimed' });
  });
}
