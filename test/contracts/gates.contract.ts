import { expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { AuthorizationStore, Claim, MassDeadGuard } from '../../src/domain/authorization-store.js';
import type { RefreshGate } from '../../src/domain/refresh-gate.js';
import { claimed, claimOf, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { attemptsOn, rowOf, run, useStorage } from '../support/use-storage.js';

const GUARD: MassDeadGuard = { minimum: 5, share: 0.5, windowMs: 600_000, closeForMs: 600_000 };
const DUE = { olderThanMs: -1_000, limit: 50, leaseMs: 60_000 };

export function gatesContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  /** Gates hold back a whole client, so each test has one of its own, in two processes. */
  async function someClient() {
    const clientId = `client-${randomUUID()}`;
    const other = await storage().join();
    const store = storage().storeOf(clientId);
    const connect = async () => (await connectSome(store, { clientId })).id;
    const passTime = (ms: number) =>
      run(
        storage(),
        `UPDATE notion_refresh_gate SET closed_until = closed_until - ${String(ms)} WHERE client_id = '${clientId}'`,
      );
    return { clientId, store, elsewhere: other.storeOf(clientId), connect, passTime };
  }

  async function close(store: AuthorizationStore, id: string, gate: RefreshGate, retryInMs = 60_000) {
    const outcome = gate === 'configuration' ? 'configuration' : 'not_processed';
    return store.settle(await claimed(store, id), { kind: 'postpone', retryInMs, gate }, { outcome });
  }

  async function dies(store: AuthorizationStore, claim: Claim, guard: MassDeadGuard | null = GUARD) {
    const settlement = { kind: 'needs_reconnect', reason: 'revoked_or_expired', guard } as const;
    return store.settle(claim, settlement, { outcome: 'dead', failure: { code: 'invalid_grant' } });
  }

  it('hold back every authorization of the client in every process, and no other client', async () => {
    const { store, elsewhere, connect } = await someClient();
    const [first, second] = [await connect(), await connect()];
    expect(await close(store, first, 'rate_limit')).toBe('settled');
    const refused = await claimOf(elsewhere, second);
    expect(refused).toMatchObject({ kind: 'postponed', gate: 'rate_limit' });
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(50_000);
    expect(await elsewhere.claimDue(DUE)).toEqual([]);
    expect(await rowOf(storage(), second)).toMatchObject({ attemptId: null, lastAttemptAt: null });
    const another = await someClient();
    expect(await claimOf(another.store, await another.connect())).toMatchObject({ kind: 'claimed' });
  });

  it('are not shortened by a later and smaller wish', async () => {
    const { store, connect } = await someClient();
    const claims = [await claimed(store, await connect()), await claimed(store, await connect())];
    for (const [index, retryInMs] of [60_000, 10].entries()) {
      const settlement = { kind: 'postpone', retryInMs, gate: 'rate_limit' } as const;
      await store.settle(claims[index]!, settlement, { outcome: 'not_processed' });
    }
    const refused = await claimOf(store, await connect());
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(50_000);
  });

  it('open by themselves where Notion asked for time, and nobody probes', async () => {
    const { store, connect, passTime } = await someClient();
    await close(store, await connect(), 'rate_limit');
    await passTime(60_001);
    expect(await claimed(store, await connect())).toMatchObject({ probing: null });
  });

  it('that are probed let exactly one of 24 claims in two processes pass when their time is over', async () => {
    const { store, elsewhere, connect, passTime } = await someClient();
    const first = await connect();
    const ids = await Promise.all(Array.from({ length: 24 }, connect));
    await close(store, first, 'configuration');
    await passTime(60_001);
    const results = await Promise.all(
      ids.map((id, index) => claimOf(index % 2 === 0 ? store : elsewhere, id)),
    );
    const probes = results.filter((result) => result.kind === 'claimed');
    expect(probes).toMatchObject([{ claim: { probing: 'configuration' } }]);
    const refused = results.filter((result) => result.kind !== 'claimed');
    expect(refused).toMatchObject(refused.map(() => ({ kind: 'postponed', gate: 'configuration' })));
    expect(await elsewhere.claimDue(DUE)).toEqual([]);
  });

  it('send a batch out as a single probe', async () => {
    const { store, connect, passTime } = await someClient();
    const first = await connect();
    await Promise.all(Array.from({ length: 5 }, connect));
    await close(store, first, 'configuration');
    await passTime(60_001);
    expect(await store.claimDue(DUE)).toMatchObject([{ probing: 'configuration' }]);
    expect(await store.claimDue(DUE)).toEqual([]);
  });

  it.each(['configuration', 'mass_dead'] as const)('open when the probe of %s succeeds', async (gate) => {
    const { store, connect, passTime } = await someClient();
    await close(store, await connect(), gate);
    await passTime(60_001);
    const probe = await claimed(store, await connect());
    expect(probe.probing).toBe(gate);
    await store.storePair(probe, somePair(), { outcome: 'success' });
    expect((await claimed(store, await connect())).probing).toBeNull();
  });

  it('stay closed when the probe meets what closed them', async () => {
    const { store, connect, passTime } = await someClient();
    await close(store, await connect(), 'configuration');
    await passTime(60_001);
    const probe = await claimed(store, await connect());
    const settlement = { kind: 'postpone', retryInMs: 90_000, gate: 'configuration' } as const;
    await store.settle(probe, settlement, { outcome: 'configuration' });
    const refused = await claimOf(store, await connect());
    expect(refused).toMatchObject({ kind: 'postponed', gate: 'configuration' });
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(80_000);
  });

  it('learn from a dead grant that the credentials are good, and nothing from a probe that was not sent', async () => {
    const { store, connect, passTime } = await someClient();
    await close(store, await connect(), 'configuration');
    await passTime(60_001);
    await store.settle(await claimed(store, await connect()), { kind: 'release' }, { outcome: 'not_sent' });
    expect(await claimOf(store, await connect())).toMatchObject({ kind: 'postponed', gate: 'configuration' });
    await passTime(30_001);
    expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
    expect((await claimed(store, await connect())).probing).toBeNull();
  });

  it('open when any attempt succeeds, where the credentials were refused', async () => {
    const { store, connect } = await someClient();
    const earlier = await claimed(store, await connect());
    await close(store, await connect(), 'configuration');
    await store.storePair(earlier, somePair(), { outcome: 'success' });
    expect((await claimed(store, await connect())).probing).toBeNull();
  });

  it('are left alone by an attempt that was taken over meanwhile', async () => {
    const { store, connect } = await someClient();
    const id = await connect();
    const late = await claimed(store, id, 1, 1);
    await claimed(store, id);
    const settlement = { kind: 'postpone', retryInMs: 60_000, gate: 'rate_limit' } as const;
    expect(await store.settle(late, settlement, { outcome: 'not_processed' })).toBe('superseded');
    expect(await claimOf(store, await connect())).toMatchObject({ kind: 'claimed' });
  });

  it('close on one dead grant too many, whose row stays as it is', async () => {
    const { clientId, store, connect } = await someClient();
    for (let dead = 1; dead < GUARD.minimum; dead += 1) {
      expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
    }
    const id = await connect();
    expect(await dies(store, await claimed(store, id))).toBe('held_back');
    expect(await store.find(id)).toMatchObject({ status: 'active', reason: null, version: 1 });
    expect(await rowOf(storage(), id)).toMatchObject({
      attemptId: null,
      leaseUntil: null,
      refusedRefreshTokenFingerprint: null,
    });
    expect(await attemptsOn(storage(), id)).toMatchObject([
      { outcome: 'dead', failureCode: 'invalid_grant' },
    ]);
    expect(await claimOf(store, id)).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    await connectSome(storage().storeOf(clientId), { clientId });
    expect(await store.claimDue(DUE)).toEqual([]);
  });

  it('mark at most the minimum less one when many grants die at once in two processes', async () => {
    const { store, elsewhere, connect } = await someClient();
    const ids = await Promise.all(Array.from({ length: 20 }, connect));
    const claims = await Promise.all(ids.map((id) => claimed(store, id)));
    const verdicts = await Promise.all(
      claims.map((claim, index) => dies(index % 2 === 0 ? store : elsewhere, claim)),
    );
    expect(verdicts.filter((verdict) => verdict === 'settled')).toHaveLength(GUARD.minimum - 1);
    expect(verdicts.filter((verdict) => verdict === 'held_back')).toHaveLength(20 - GUARD.minimum + 1);
  });

  it('believe dead grants among enough that live', async () => {
    const { store, connect } = await someClient();
    for (let living = 0; living < 6; living += 1) {
      await store.storePair(await claimed(store, await connect()), somePair(), { outcome: 'success' });
    }
    for (let dead = 0; dead < 5; dead += 1) {
      expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
    }
    await dies(store, await claimed(store, await connect()));
    expect(await claimOf(store, await connect())).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
  });

  it('count authorizations, not attempts, and only those of the window', async () => {
    const { clientId, store, connect } = await someClient();
    const marked = [];
    for (let dead = 1; dead < GUARD.minimum; dead += 1) marked.push(await connect());
    for (const id of marked) await dies(store, await claimed(store, id));
    // The same four again: each dies a second time, as after a reconnect that did not help.
    await run(
      storage(),
      `UPDATE notion_authorization SET status = 'active', refused_refresh_token_fingerprint = NULL WHERE client_id = '${clientId}'`,
    );
    for (const id of marked) expect(await dies(store, await claimed(store, id))).toBe('settled');
    await run(
      storage(),
      `UPDATE notion_refresh_attempt SET ended_at = ended_at - ${String(GUARD.windowMs)} WHERE client_id = '${clientId}'`,
    );
    expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
  });

  it('stay closed while the probe finds another dead grant, however old the others are', async () => {
    const { store, connect, passTime } = await someClient();
    await close(store, await connect(), 'mass_dead');
    await passTime(60_001);
    const probe = await claimed(store, await connect());
    expect(probe.probing).toBe('mass_dead');
    expect(await dies(store, probe)).toBe('held_back');
    const refused = await claimOf(store, await connect());
    expect(refused).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(500_000);
  });

  it('ask nothing where no guard is given', async () => {
    const { store, connect } = await someClient();
    for (let dead = 0; dead < 2 * GUARD.minimum; dead += 1) {
      expect(await dies(store, await claimed(store, await connect()), null)).toBe('settled');
    }
  });
}
