import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { StatementLog } from '../support/statement.log.js';
import { claimed, claimOf, connectSome, postgres, somePair } from '../support/storage.harness.js';
import { attemptsOn, useStorage } from '../support/use-storage.js';

describe('the row lock on PostgreSQL', () => {
  const storage = useStorage(postgres);

  /** A second session that holds the row, as a process in the middle of its own claim would. */
  async function holdRow(id: string) {
    const runner = storage().database.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('SELECT 1 FROM notion_authorization WHERE id = $1 FOR UPDATE', [id]);
    return async () => {
      await runner.rollbackTransaction();
      await runner.release();
    };
  }

  async function waitsForALock(applicationName: string): Promise<string> {
    for (;;) {
      const [waiting] = await storage().database.dataSource.query<{ query: string }[]>(
        `SELECT query FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
        [applicationName],
      );
      if (waiting !== undefined) return waiting.query;
      await sleep(20);
    }
  }

  it("F1: lets nobody wait for the row of somebody else's authorization", async () => {
    const { store } = storage();
    const { id, connection } = await connectSome(store);
    const letGo = await holdRow(id);
    expect(await store.disconnect(id, 'somebody else')).toEqual({ kind: 'not_found' });
    await letGo();
    expect(await store.disconnect(id, connection.ownerId)).toMatchObject({ kind: 'disconnected' });
  });

  it('makes storePair wait in SELECT … FOR UPDATE while another session holds the row', async () => {
    const applicationName = 'waiter';
    const waiter = await storage().join({ applicationName });
    const { id } = await connectSome(storage().store);
    const claim = await claimed(waiter.store, id);
    const letGo = await holdRow(id);
    let settled = false;
    const work = waiter.store.storePair(claim, somePair(), { outcome: 'success' }).finally(() => {
      settled = true;
    });
    expect(await waitsForALock(applicationName)).toMatch(/FROM "notion_authorization".*FOR UPDATE$/);
    expect(settled).toBe(false);
    await letGo();
    expect(await work).toMatchObject({ stored: true, version: 2 });
  });

  it('makes no claim wait: a row that another session holds is claimed elsewhere', async () => {
    const { id } = await connectSome(storage().store);
    const release = await holdRow(id);
    expect(await claimOf(storage().store, id)).toEqual({ kind: 'claimed_elsewhere', leaseLeftMs: 0 });
    await release();
    expect(await claimOf(storage().store, id)).toMatchObject({ kind: 'claimed' });
  });

  it('is taken, and guarded all the same, by the statements that are sent; parameters hold no secret', async () => {
    const logger = new StatementLog();
    const { store } = await storage().join({ logging: true, logger });
    const { id, connection } = await connectSome(store);
    const pair = somePair();
    await store.storePair(await claimed(store, id), pair, { outcome: 'success' });
    const locked = logger.statements.filter((statement) => statement.endsWith('FOR UPDATE'));
    expect(locked.length).toBeGreaterThanOrEqual(2);
    const claims = logger.statements.filter(
      (s) => s.startsWith('UPDATE notion_authorization ') && s.includes('lease_until <='),
    );
    expect(claims[0]).toMatch(/WHERE .*version = .* AND status = 'active' AND attempt_id IS NULL/);
    const stores = logger.statements.filter(
      (s) => s.startsWith('UPDATE notion_authorization ') && s.includes('sealed_access_token ='),
    );
    expect(stores[0]).toMatch(/WHERE id = \$\d+ AND COALESCE\(client_id, ''\) = \$\d+ AND version = \$\d+$/);
    const said = JSON.stringify([logger.statements, logger.parameters]);
    for (const secret of [
      connection.pair.accessToken,
      connection.pair.refreshToken!,
      pair.accessToken,
      pair.refreshToken!,
    ]) {
      expect(said).not.toContain(secret.reveal());
    }
  });

  it('stores a pair with a durable commit, whatever the session defaults to', async () => {
    const logger = new StatementLog();
    const { store } = await storage().join({
      logging: true,
      logger,
      extra: { options: '-c synchronous_commit=off' },
    });
    const { id } = await connectSome(store);
    const claim = await claimed(store, id);
    logger.statements.length = 0;
    await store.storePair(claim, somePair(), { outcome: 'success' });
    expect(logger.statements[1]).toMatch(/READ COMMITTED; SET LOCAL synchronous_commit = on$/);
    expect(logger.statements.at(-1)).toBe('COMMIT');
  });

  it('is asked for again when the session gives up waiting early (55P03)', async () => {
    const impatient = await storage().join({ extra: { options: '-c lock_timeout=40ms' } });
    const { id } = await connectSome(storage().store);
    const claim = await claimed(impatient.store, id);
    const letGo = await holdRow(id);
    const work = impatient.store.storePair(claim, somePair(), { outcome: 'success' });
    await sleep(200);
    await letGo();
    expect(await work).toMatchObject({ stored: true });
  });

  it('holds under an application default of SERIALIZABLE', async () => {
    const strict = await storage().join({
      extra: { options: '-c default_transaction_isolation=serializable' },
    });
    const { id } = await connectSome(strict.store);
    const results = await Promise.all(Array.from({ length: 30 }, () => claimOf(strict.store, id)));
    expect(results.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
  });

  it('is asked for over another connection when the session is killed while it waits', async () => {
    const applicationName = 'to-be-killed';
    const victim = await storage().join({ applicationName, poolErrorHandler: () => undefined });
    const { id } = await connectSome(storage().store);
    const claim = await claimed(victim.store, id);
    const letGo = await holdRow(id);
    const work = victim.store.storePair(claim, somePair(), { outcome: 'success' });
    await waitsForALock(applicationName);
    await storage().database.dataSource.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      [applicationName],
    );
    await waitsForALock(applicationName);
    await letGo();
    expect(await work).toMatchObject({ stored: true });
    expect(await attemptsOn(storage(), id)).toHaveLength(1);
  });
});
