import { expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type {
  AuthorizationStore,
  Claim,
  NewConnection,
  MassRevocationGuard,
} from '../../src/domain/authorization-store.js';
import type { RefreshGate } from '../../src/domain/refresh-gate.js';
import {
  claimed,
  claimOf,
  connectSome,
  someGrant,
  somePair,
  type StorageEngine,
} from '../support/storage.harness.js';
import { attemptsOn, rowOf, run, useStorage } from '../support/use-storage.js';

const GUARD: MassRevocationGuard = { threshold: 5, windowMs: 600_000, openForMs: 30_000 };
type Shared = Partial<Pick<NewConnection, 'ownerId' | 'grant'>>;
const DUE = { olderThanMs: -1_000, limit: 50, leaseMs: 60_000 };

export function gatesContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  /** Gates hold back a whole client, so each test has one of its own, in two processes. */
  async function someClient() {
    const clientId = `client-${randomUUID()}`;
    const other = await storage().join();
    const store = storage().storeOf(clientId);
    const connect = async (shared: Shared = {}) => (await connectSome(store, { clientId, ...shared })).id;
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

  async function dies(store: AuthorizationStore, claim: Claim, guard: MassRevocationGuard | null = GUARD) {
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
    const ids = await Promise.all(Array.from({ length: 24 }, () => connect()));
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
    await Promise.all(Array.from({ length: 5 }, () => connect()));
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

  it('close on one rejected tenant too many, whose row stays active', async () => {
    const { clientId, store, connect } = await someClient();
    for (let dead = 1; dead < GUARD.threshold; dead += 1) {
      expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
    }
    const id = await connect();
    expect(await dies(store, await claimed(store, id))).toBe('held_back');
    expect(await store.find(id)).toMatchObject({ status: 'active', reason: null, version: 1 });
    expect(await rowOf(storage(), id)).toMatchObject({ attemptId: null, leaseUntil: null });
    expect(await attemptsOn(storage(), id)).toMatchObject([
      { outcome: 'dead', failureCode: 'invalid_grant' },
    ]);
    const refused = await claimOf(store, id);
    expect(refused).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    expect((refused as { retryInMs: number }).retryInMs).toBeLessThanOrEqual(GUARD.openForMs);
    await connectSome(storage().storeOf(clientId), { clientId });
    expect(await store.claimDue(DUE)).toEqual([]);
  });

  it('mark at most the threshold less one when many grants die at once in two processes', async () => {
    const { store, elsewhere, connect } = await someClient();
    const ids = await Promise.all(Array.from({ length: 20 }, () => connect()));
    const claims = await Promise.all(ids.map((id) => claimed(store, id)));
    const verdicts = await Promise.all(
      claims.map((claim, index) => dies(index % 2 === 0 ? store : elsewhere, claim)),
    );
    expect(verdicts.filter((verdict) => verdict === 'settled')).toHaveLength(GUARD.threshold - 1);
    expect(verdicts.filter((verdict) => verdict === 'held_back')).toHaveLength(20 - GUARD.threshold + 1);
  });

  it('trip after the threshold, however much succeeded before', async () => {
    const { store, connect } = await someClient();
    const refreshed = Array.from({ length: 60 }, () => connect());
    for (const id of await Promise.all(refreshed)) {
      await store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    }
    const verdicts = [];
    for (let dead = 0; dead < GUARD.threshold; dead += 1) {
      verdicts.push(await dies(store, await claimed(store, await connect())));
    }
    expect(verdicts).toEqual([...Array<string>(GUARD.threshold - 1).fill('settled'), 'held_back']);
  });

  it('trip also where the rejected tenants succeeded before many others did', async () => {
    const { store, connect } = await someClient();
    const succeed = async (id: string) =>
      store.storePair(await claimed(store, id), somePair(), { outcome: 'success' });
    const rejected = await Promise.all(Array.from({ length: GUARD.threshold }, () => connect()));
    for (const id of rejected) await succeed(id);
    for (let others = 0; others < 4 * GUARD.threshold; others += 1) await succeed(await connect());
    const verdicts = [];
    for (const id of rejected) verdicts.push(await dies(store, await claimed(store, id, 2)));
    expect(verdicts).toEqual([...Array<string>(GUARD.threshold - 1).fill('settled'), 'held_back']);
  });

  it('believe rejected grants among enough tenants that succeed', async () => {
    const { store, connect } = await someClient();
    for (let round = 0; round < 2 * GUARD.threshold; round += 1) {
      expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
      for (let living = 0; living < 2; living += 1) {
        await store.storePair(await claimed(store, await connect()), somePair(), { outcome: 'success' });
      }
    }
  });

  it.each(['workspace', 'owner'] as const)('count the authorizations of one %s once', async (shared) => {
    const { store, connect } = await someClient();
    const [workspaceId, ownerId] = [randomUUID(), randomUUID()];
    const one = () => connect(shared === 'owner' ? { ownerId } : { grant: someGrant({ workspaceId }) });
    for (let dead = 0; dead < 3 * GUARD.threshold; dead += 1) {
      expect(await dies(store, await claimed(store, await one()))).toBe('settled');
    }
    for (let others = 2; others < GUARD.threshold; others += 1) {
      expect(await dies(store, await claimed(store, await connect()))).toBe('settled');
    }
    expect(await dies(store, await claimed(store, await connect()))).toBe('held_back');
  });

  it('see other tenants behind one that fills the last hundreds of attempts', async () => {
    const { store, connect } = await someClient();
    for (let dead = 1; dead < GUARD.threshold; dead += 1) {
      await dies(store, await claimed(store, await connect()));
    }
    const busy = await connect();
    await store.storePair(await claimed(store, busy), somePair(), { outcome: 'success' });
    const columns = `client_id, authorization_id, triggered_by, spent_version, attempt_owner, is_recovering, started_at, ended_at, outcome`;
    for (let copy = 0; copy < 250; copy += 1) {
      await run(
        storage(),
        `INSERT INTO notion_refresh_attempt (id, ${columns}) SELECT '${randomUUID()}', ${columns} FROM notion_refresh_attempt WHERE authorization_id = '${busy}' LIMIT 1`,
      );
    }
    expect(await dies(store, await claimed(store, await connect()))).toBe('held_back');
  });

  it('count only rejections of the window, and those since the breaker closed last', async () => {
    const { clientId, store, connect, passTime } = await someClient();
    const rejectSome = async (count: number) => {
      const verdicts = [];
      for (let dead = 0; dead < count; dead += 1) {
        verdicts.push(await dies(store, await claimed(store, await connect())));
      }
      return verdicts;
    };
    await rejectSome(GUARD.threshold - 1);
    await run(
      storage(),
      `UPDATE notion_refresh_attempt SET ended_at = ended_at - ${String(GUARD.windowMs)} WHERE client_id = '${clientId}'`,
    );
    await rejectSome(GUARD.threshold - 1);
    expect(await rejectSome(1)).toEqual(['held_back']);
    await passTime(GUARD.openForMs + 1);
    await store.storePair(await claimed(store, await connect()), somePair(), { outcome: 'success' });
    expect(await rejectSome(GUARD.threshold - 1)).toEqual(Array(GUARD.threshold - 1).fill('settled'));
  });

  /** A client whose breaker has tripped, and is due to be probed. */
  async function halfOpen() {
    const client = await someClient();
    const { store, connect, passTime } = client;
    for (let dead = 1; dead < GUARD.threshold; dead += 1) {
      await dies(store, await claimed(store, await connect()));
    }
    const tenant = { ownerId: `owner-${randomUUID()}`, workspaceId: randomUUID() };
    const ofTenant = () =>
      connect({ ownerId: tenant.ownerId, grant: someGrant({ workspaceId: tenant.workspaceId }) });
    const held = await ofTenant();
    const rejected = await claimed(store, held);
    expect(await dies(store, rejected)).toBe('held_back');
    await passTime(GUARD.openForMs + 1);
    return { ...client, held, rejected, tenant, ofTenant };
  }

  it('leave the probe of the mass-revocation breaker to a tenant that was not rejected', async () => {
    const { store, elsewhere, connect, held, tenant, ofTenant } = await halfOpen();
    const sameWorkspace = await connect({ grant: someGrant({ workspaceId: tenant.workspaceId }) });
    const sameOwner = await connect({ ownerId: tenant.ownerId });
    for (const id of [held, await ofTenant(), sameWorkspace, sameOwner]) {
      expect(await claimOf(store, id)).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    }
    expect(await elsewhere.claimDue(DUE)).toEqual([]);
    expect(await claimed(elsewhere, await connect())).toMatchObject({ probing: 'mass_dead' });
  });

  it('let another tenant probe seconds after a probe that was rejected', async () => {
    const { store, elsewhere, connect, passTime } = await halfOpen();
    const probe = await claimed(store, await connect());
    expect(await dies(store, probe)).toBe('held_back');
    const next = await connect();
    const refused = await claimOf(elsewhere, next);
    expect(refused).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    expect((refused as { retryInMs: number }).retryInMs).toBeLessThanOrEqual(5_000);
    await passTime(5_001);
    expect(await claimOf(store, probe.authorizationId)).toMatchObject({ kind: 'postponed' });
    expect(await claimed(elsewhere, next)).toMatchObject({ probing: 'mass_dead' });
  });

  it('rotate probes over tenants, also when a probe was neither accepted nor rejected', async () => {
    const { store, connect, passTime } = await halfOpen();
    const first = await connect();
    await store.settle(await claimed(store, first), { kind: 'release' }, { outcome: 'not_sent' });
    await passTime(5_001);
    expect(await claimOf(store, first)).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    expect(await claimed(store, await connect())).toMatchObject({ probing: 'mass_dead' });
  });

  it('mark what was held back and is inactive, with its event, once another tenant has succeeded', async () => {
    const { clientId, store, elsewhere, connect, held, rejected } = await halfOpen();
    await store.storePair(await claimed(store, await connect()), somePair(), { outcome: 'success' });
    const { heldBack, probe } = await elsewhere.tendMassRevocation(10);
    expect(probe).toBeNull();
    expect(heldBack).toMatchObject([{ authorizationId: held }]);
    expect(heldBack[0]!.refreshToken?.equals(rejected.refreshToken)).toBe(true);
    expect(await elsewhere.concludeRejection(heldBack[0]!, false)).toBe(true);
    expect(await elsewhere.concludeRejection(heldBack[0]!, false)).toBe(false);
    expect(await store.find(held)).toMatchObject({
      status: 'needs_reconnect',
      reason: 'revoked_or_expired',
    });
    const events = await run(
      storage(),
      `SELECT name FROM notion_event WHERE authorization_id = '${held}' AND name = 'needs_reconnect'`,
    );
    expect(events).toHaveLength(1);
    expect(await elsewhere.tendMassRevocation(10)).toEqual({ heldBack: [], probe: null });
    expect(
      await run(storage(), `SELECT * FROM notion_breaker_suspect WHERE client_id = '${clientId}'`),
    ).toEqual([]);
  });

  it('refresh again what was held back and is active, also where only its own tenant is left to probe', async () => {
    const { store, elsewhere, held, passTime } = await halfOpen();
    expect(await claimOf(store, held)).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    const { heldBack } = await elsewhere.tendMassRevocation(10);
    expect(heldBack).toMatchObject([{ authorizationId: held }]);
    expect(await elsewhere.concludeRejection(heldBack[0]!, true)).toBe(false);
    await passTime(5_001);
    expect(await claimed(store, held)).toMatchObject({ probing: 'mass_dead' });
  });

  it('keep what was held back and is inactive unmarked while they are open, and examine it again', async () => {
    const { store, held, passTime } = await halfOpen();
    for (let turn = 0; turn < 2; turn += 1) {
      const { heldBack } = await store.tendMassRevocation(10);
      expect(heldBack).toMatchObject([{ authorizationId: held }]);
      expect(await store.concludeRejection(heldBack[0]!, false)).toBe(false);
      expect(await store.tendMassRevocation(10)).toEqual({ heldBack: [], probe: null });
      await passTime(5_001);
    }
    expect(await store.find(held)).toMatchObject({ status: 'active' });
  });

  it('leave what was held back to introspection, whichever process claims it after they have closed', async () => {
    const { store, elsewhere, connect, held, ofTenant, passTime } = await halfOpen();
    const swept = await ofTenant();
    await store.storePair(await claimed(store, await connect()), somePair(), { outcome: 'success' });
    await passTime(0);
    expect(await claimOf(elsewhere, held)).toMatchObject({ kind: 'postponed', gate: 'mass_dead' });
    const due = (await store.claimDue(DUE)).map(({ authorizationId }) => authorizationId);
    expect(due).toContain(swept);
    expect(due).not.toContain(held);
    expect((await store.tendMassRevocation(10)).heldBack).toMatchObject([{ authorizationId: held }]);
  });

  it('leave what was held back alone once it was connected again', async () => {
    const { clientId, store, held, tenant } = await halfOpen();
    const { botId } = await rowOf(storage(), held);
    const grant = someGrant({ botId, workspaceId: tenant.workspaceId });
    await connectSome(store, { clientId, ownerId: tenant.ownerId, grant });
    await store.closeMassRevocation();
    const { heldBack } = await store.tendMassRevocation(10);
    for (const left of heldBack) {
      expect(left.refreshToken).toBeNull();
      expect(await store.concludeRejection(left, false)).toBe(false);
    }
    expect((await store.tendMassRevocation(10)).heldBack).toEqual([]);
    expect(await store.find(held)).toMatchObject({ status: 'active' });
  });

  it('lend out the tokens of one authorization of another tenant to be introspected', async () => {
    const { store, elsewhere, connect } = await halfOpen();
    const living = await connect();
    const { probe } = await store.tendMassRevocation(10);
    const { token } = (await store.readAccessToken(living))!;
    expect(probe?.accessToken?.equals(token!)).toBe(true);
    expect((await elsewhere.tendMassRevocation(10)).probe).toBeNull();
    await store.closeMassRevocation();
    expect((await claimed(elsewhere, living)).probing).toBeNull();
  });

  it('lend out no token to be introspected while introspection contradicts a rejection', async () => {
    const { store, connect, passTime } = await halfOpen();
    await dies(store, await claimed(store, await connect()));
    await connect();
    await passTime(5_001);
    const { heldBack } = await store.tendMassRevocation(10);
    for (const rejected of heldBack) await store.concludeRejection(rejected, true);
    await passTime(5_001);
    expect(await store.tendMassRevocation(10)).toEqual({ heldBack: [], probe: null });
  });

  it('ask nothing where no guard is given', async () => {
    const { store, connect } = await someClient();
    for (let dead = 0; dead < 2 * GUARD.threshold; dead += 1) {
      expect(await dies(store, await claimed(store, await connect()), null)).toBe('settled');
    }
  });
}
