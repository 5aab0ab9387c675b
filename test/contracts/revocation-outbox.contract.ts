import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { TypeOrmRevocationOutbox } from '../../src/storage/typeorm-revocation.outbox.js';
import {
  CLIENT_ID,
  claimed,
  connectSome,
  somePair,
  testCipher,
  type StorageEngine,
} from '../support/storage.harness.js';
import { revealed, revealedPair, revocationsOf, run, useStorage } from '../support/use-storage.js';

const LIMITS = { maxAttempts: 5, maxAgeMs: 3_600_000 };
const MANY = 100;

export function revocationOutboxContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  async function disconnectedOne() {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await store.disconnect(id, connection.ownerId);
    return { id, connection };
  }

  /** Ends the claims on everything that waits, as time would. */
  function letLeasesEnd(): Promise<unknown> {
    return run(storage(), 'UPDATE notion_revocation SET next_attempt_at = 0');
  }

  /** Claims all that is due, and answers what concerns this authorization. */
  async function claimFor(id: string, limits = LIMITS, outbox = storage().outbox) {
    const { claimed: all, givenUp } = await outbox.claimDue(MANY, limits);
    return {
      claimed: all.filter(({ authorizationId }) => authorizationId === id),
      givenUp: givenUp.filter((authorizationId) => authorizationId === id),
    };
  }

  it('E15: keeps the tokens of a disconnect sealed, and nowhere else', async () => {
    const { id, connection } = await disconnectedOne();
    const kept = await revocationsOf(storage(), id);
    expect(kept).toHaveLength(2);
    for (const token of revealedPair(connection.pair)) expect(JSON.stringify(kept)).not.toContain(token);
  });

  it('is claimed by whoever disconnected, and by somebody else once that claim is over', async () => {
    const { id, connection } = await disconnectedOne();
    expect((await claimFor(id)).claimed).toEqual([]);
    await letLeasesEnd();
    const { claimed: due } = await claimFor(id);
    expect(revealed(due).sort()).toEqual(revealedPair(connection.pair).sort());
    expect(due.map(({ attempt }) => attempt)).toEqual([2, 2]);
    expect((await claimFor(id)).claimed).toEqual([]);
  });

  it('lets one of many processes claim each', async () => {
    const { id } = await disconnectedOne();
    const { outbox } = await storage().join();
    await letLeasesEnd();
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => claimFor(id, LIMITS, n % 2 === 0 ? outbox : storage().outbox)),
    );
    expect(claims.flatMap((one) => one.claimed)).toHaveLength(2);
  });

  it('forgets a token that Notion has confirmed, and keeps one that is postponed', async () => {
    const { id } = await disconnectedOne();
    await letLeasesEnd();
    const [first, second] = (await claimFor(id)).claimed;
    await storage().outbox.remove(first!.id);
    await storage().outbox.postpone(second!, 0);
    expect((await claimFor(id)).claimed).toMatchObject([{ id: second!.id, attempt: 3 }]);
    // The claim has passed on: whoever had it before moves nothing.
    await storage().outbox.postpone(second!, 0);
    expect((await claimFor(id)).claimed).toEqual([]);
  });

  it('gives up, and erases, what was tried too often or waited too long', async () => {
    const often = await disconnectedOne();
    await letLeasesEnd();
    expect(await claimFor(often.id, { ...LIMITS, maxAttempts: 1 })).toEqual({
      claimed: [],
      givenUp: [often.id, often.id],
    });
    const long = await disconnectedOne();
    await letLeasesEnd();
    await run(storage(), `UPDATE notion_revocation SET created_at = created_at - 3600000`);
    expect(await claimFor(long.id)).toEqual({ claimed: [], givenUp: [long.id, long.id] });
    for (const { id } of [often, long]) expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('E7: leaves what it has no key for to those who have it, until it is too old for everybody', async () => {
    const { id, connection } = await disconnectedOne();
    await letLeasesEnd();
    const before = await revocationsOf(storage(), id);
    const older = outboxWith('another');
    expect(await claimFor(id, LIMITS, older)).toEqual({ claimed: [], givenUp: [] });
    expect(await revocationsOf(storage(), id)).toEqual(before);
    const { claimed: due } = await claimFor(id);
    expect(revealed(due).sort()).toEqual(revealedPair(connection.pair).sort());
    await letLeasesEnd();
    expect(await claimFor(id, { ...LIMITS, maxAgeMs: 1 }, older)).toEqual({ claimed: [], givenUp: [id, id] });
  });

  it('E5: keeps what a key of the same id does not open', async () => {
    const { id } = await disconnectedOne();
    await letLeasesEnd();
    expect(await claimFor(id, LIMITS, outboxWith('test'))).toEqual({ claimed: [], givenUp: [] });
    await letLeasesEnd();
    expect((await claimFor(id)).claimed.map(({ attempt }) => attempt)).toEqual([2, 2]);
  });

  /** As a process with one other key has it. */
  function outboxWith(keyId: string): TypeOrmRevocationOutbox {
    const key = new Secret(randomBytes(32).toString('base64'));
    const cipher = new KeyRingCipher({ encryptionKeys: [{ id: keyId, key }] });
    return new TypeOrmRevocationOutbox(storage().database, { clientId: CLIENT_ID }, cipher);
  }

  it('opens no token that was moved to another row', async () => {
    const [mine, theirs] = [await disconnectedOne(), await disconnectedOne()];
    const [foreign] = await revocationsOf(storage(), theirs.id);
    await run(
      storage(),
      `UPDATE notion_revocation SET sealed_token = '${foreign!.sealedToken}' WHERE authorization_id = '${mine.id}'`,
    );
    await letLeasesEnd();
    expect(await claimFor(mine.id)).toEqual({ claimed: [], givenUp: [] });
  });

  it('is taken back when the grant is connected again, by whomever', async () => {
    const { store } = storage();
    const { id, connection } = await disconnectedOne();
    await store.connect({ ...connection, ownerId: 'somebody else', pair: somePair() });
    expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('is taken back as well when the grant comes back under another bot id', async () => {
    const { store } = storage();
    const { id, connection } = await disconnectedOne();
    const grant = { ...connection.grant, botId: 'another-bot' };
    await store.connect({ ...connection, grant, pair: somePair() });
    expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('renews the claim of a revocation, which then is due to no other process', async () => {
    const { id } = await disconnectedOne();
    await letLeasesEnd();
    const { claimed: due } = await claimFor(id);
    await letLeasesEnd();
    for (const one of due) expect(await storage().outbox.renewClaim(one)).toBe(true);
    expect((await claimFor(id)).claimed).toEqual([]);
  });

  it('renews no claim that another process has taken over, and none of another client', async () => {
    const { id } = await disconnectedOne();
    await letLeasesEnd();
    const { claimed: late } = await claimFor(id);
    await letLeasesEnd();
    const { claimed: current } = await claimFor(id);
    for (const one of late) expect(await storage().outbox.renewClaim(one)).toBe(false);
    const other = new TypeOrmRevocationOutbox(storage().database, { clientId: 'another' }, testCipher());
    expect(await other.renewClaim(current[0]!)).toBe(false);
    expect(await storage().outbox.renewClaim(current[0]!)).toBe(true);
  });

  it('renews no claim once the grant is connected again, also while that transaction is open', async () => {
    const { store, database, join } = storage();
    const { id, connection } = await disconnectedOne();
    await letLeasesEnd();
    const [first, second] = (await claimFor(id)).claimed;
    const { outbox } = await join();
    const renewed = await database.transaction(async ({ manager }) => {
      await manager.query(`DELETE FROM notion_revocation WHERE id = '${first!.id}'`);
      // The other process may have to wait for this transaction to end.
      return { promise: outbox.renewClaim(first!) };
    });
    expect(await renewed.promise).toBe(false);
    await store.connect({ ...connection, pair: somePair() });
    expect(await outbox.renewClaim(second!)).toBe(false);
  });

  it('says nothing to Notion of a grant that an older version of this library connected again', async () => {
    const { store } = storage();
    const { id } = await disconnectedOne();
    await run(storage(), `UPDATE notion_authorization SET status = 'active' WHERE id = '${id}'`);
    await letLeasesEnd();
    expect(await claimFor(id)).toEqual({ claimed: [], givenUp: [] });
    expect(await revocationsOf(storage(), id)).toEqual([]);
    expect(await store.find(id)).toMatchObject({ status: 'active' });
  });

  it('keeps a late pair of a disconnected grant, and none of one that was connected again', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const late = await claimed(store, id);
    await store.connect({ ...connection, pair: somePair() });
    await store.storePair(late, somePair(), { outcome: 'success' });
    expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('F5: holds nothing while another owner uses the grant', async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    await connectSome(store, { grant: connection.grant });
    await store.disconnect(id, connection.ownerId);
    expect(await revocationsOf(storage(), id)).toEqual([]);
  });

  it('knows only the revocations of its own client', async () => {
    const { id } = await disconnectedOne();
    await letLeasesEnd();
    const other = new TypeOrmRevocationOutbox(storage().database, { clientId: 'another' }, testCipher());
    expect(await claimFor(id, LIMITS, other)).toEqual({ claimed: [], givenUp: [] });
    const [kept] = await revocationsOf(storage(), id);
    await other.remove(kept!.id);
    expect(await revocationsOf(storage(), id)).toHaveLength(2);
  });
}
