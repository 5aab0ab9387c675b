import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROCESS_NAME } from '../../src/storage/process-identity.js';
import { claimed, claimOf, connectSome, somePair, type StorageEngine } from '../support/storage.harness.js';
import { attemptsOn, rowOf, run, useStorage } from '../support/use-storage.js';

const HOUR_MS = 3_600_000;

export function recoveryContract(engine: StorageEngine): void {
  const storage = useStorage(engine);

  const owned = (id: string, owner: string) =>
    run(storage(), `UPDATE notion_authorization SET attempt_owner = '${owner}' WHERE id = '${id}'`).then(() =>
      run(
        storage(),
        `UPDATE notion_refresh_attempt SET attempt_owner = '${owner}' WHERE authorization_id = '${id}'`,
      ),
    );

  /** A process of this machine that has ended, as it named itself. */
  function deadProcess(): string {
    const { pid } = spawnSync(process.execPath, ['--version']);
    return PROCESS_NAME.replace(`:${String(process.pid)}:`, `:${String(pid)}:`);
  }

  it('remembers that the token was presented again, until a pair is stored', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    const unknown = (replayed: boolean) => ({ kind: 'unknown', retryInMs: 0, sent: true, replayed }) as const;
    await store.settle(await claimed(store, id), unknown(false), { outcome: 'unknown' });
    const second = await claimed(store, id);
    expect(second.recovering).toMatchObject({ replayed: false });
    await store.settle(second, unknown(true), { outcome: 'unknown' });
    const third = await claimed(store, id);
    expect(third.recovering).toMatchObject({ replayed: true });
    await store.settle(third, unknown(false), { outcome: 'unknown' });
    const fourth = await claimed(store, id);
    expect(fourth.recovering).toMatchObject({ replayed: true });
    await store.storePair(fourth, somePair(), { outcome: 'success' });
    await store.settle(await claimed(store, id, 2), unknown(false), { outcome: 'unknown' });
    expect((await claimed(store, id, 2)).recovering).toMatchObject({ replayed: false });
  });

  it('lists what is unresolved and may be taken over now, oldest first', async () => {
    const clientId = `client-${randomUUID()}`;
    const store = storage().storeOf(clientId);
    const some = async () => (await connectSome(store, { clientId })).id;
    const [told, silent, waiting, living, resolved] = [
      await some(),
      await some(),
      await some(),
      await some(),
      await some(),
    ];
    const unknown = (retryInMs: number) =>
      ({ kind: 'unknown', retryInMs, sent: true, replayed: false }) as const;
    await store.settle(await claimed(store, told), unknown(0), { outcome: 'unknown' });
    await claimed(store, silent, 1, 1);
    await store.settle(await claimed(store, waiting), unknown(HOUR_MS), { outcome: 'unknown' });
    await claimed(store, living);
    await store.settle(await claimed(store, resolved), { kind: 'release' }, { outcome: 'not_sent' });
    await sleep(20);
    expect(await store.listUnresolved(10)).toEqual([
      { id: told, version: 1 },
      { id: silent, version: 1 },
    ]);
    expect(await store.listUnresolved(1)).toEqual([{ id: told, version: 1 }]);
  });

  it('hands back what a dead process of this machine had claimed, as unresolved', async () => {
    const { store } = storage();
    const { id } = await connectSome(store);
    await claimed(store, id);
    await owned(id, deadProcess());
    expect(await claimOf(store, id)).toMatchObject({ kind: 'claimed_elsewhere' });
    expect(await store.releaseDeadProcesses()).toBe(1);
    expect(await rowOf(storage(), id)).toMatchObject({ status: 'active', attemptPhase: 'unknown' });
    expect(await attemptsOn(storage(), id)).toMatchObject([{ outcome: 'unknown' }]);
    expect((await claimed(store, id)).recovering).not.toBeNull();
    expect(await store.releaseDeadProcesses()).toBe(0);
  });

  it('keeps its hands off living processes, other machines and names it does not understand', async () => {
    const { store } = storage();
    const dead = deadProcess();
    const owners = [
      PROCESS_NAME,
      PROCESS_NAME.replace(/:[^:]*$/, ':another1'),
      PROCESS_NAME.replace(`:${String(process.pid)}:`, ':1:'),
      dead.replace('~', '~0'),
      `elsewhere${dead}`,
      'an older name',
      `${PROCESS_NAME.split(':')[0] ?? ''}:-1:abc`,
    ];
    for (const owner of owners) {
      const { id } = await connectSome(store);
      await claimed(store, id);
      await owned(id, owner);
    }
    expect(await store.releaseDeadProcesses()).toBe(0);
  });
}
