import { describe, expect, it } from '@jest/globals';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { ConnectStateStore, type ConsumeResult, type PendingConnect } from '../domain/connect-state-store.js';
import { NotionStoreUnavailableError } from '../domain/errors.js';
import { PendingConnects } from './pending.connects.js';

class StillClock extends Clock {
  atMs = 0;
  override now = () => new Date(this.atMs);
  override monotonicMs = () => this.atMs;
  override sleep = () => Promise.resolve();
}

class CountingStore extends ConnectStateStore {
  issued = 0;
  limits: unknown;
  pruned = 0;
  override issue = (...[, , limits]: Parameters<ConnectStateStore['issue']>) => {
    this.issued += 1;
    this.limits = limits;
    return Promise.resolve();
  };
  override prune = () => Promise.resolve(this.pruned++);
  settled: unknown[] = [];
  override settle = (...given: unknown[]) => {
    this.settled.push(given);
    return Promise.reject(new Error('connection lost'));
  };
  answer: () => Promise<ConsumeResult> = () => Promise.reject(new Error('connection lost'));
  override consume = () => this.answer();
}

describe('PendingConnects', () => {
  const config = {
    connect: { stateLifetimeMs: 600_000, maxPendingPerOwner: 20, maxWaiting: 2 },
    refresh: { callerWaitMs: 10_000 },
  } as unknown as NotionAuthConfig;
  const keys = { stateHash: 's', browserHash: 'b' };
  const pending = { ownerId: 'o' } as PendingConnect;

  it('A8: clears expired connects out, once per lifetime, while new ones begin', async () => {
    const store = new CountingStore();
    const clock = new StillClock();
    const connects = new PendingConnects(config, store, clock);
    for (const atMs of [0, 1, 599_999, 600_000, 600_001]) {
      clock.atMs = atMs;
      await connects.begin(keys, pending);
    }
    expect(store).toMatchObject({ issued: 5, pruned: 2 });
  });

  it('J1: keeps each for its lifetime, and no more of one owner than may wait', async () => {
    const store = new CountingStore();
    await new PendingConnects(config, store, new StillClock()).begin(keys, pending);
    expect(store.limits).toEqual({ lifetimeMs: 600_000, maxPerOwner: 20 });
  });

  it('A20: ends no connect while the store is down', async () => {
    const connects = new PendingConnects(config, new CountingStore(), new StillClock());
    await expect(connects.end(keys)).rejects.toThrow(NotionStoreUnavailableError);
  });

  it('J3: lets no more callbacks wait for the store than it may, and the next ones again afterwards', async () => {
    const store = new CountingStore();
    let asked = 0;
    let answer: (result: ConsumeResult) => void = () => undefined;
    const answered = new Promise<ConsumeResult>((resolve) => (answer = resolve));
    store.answer = () => {
      asked += 1;
      return answered;
    };
    const connects = new PendingConnects(config, store, new StillClock());
    const waiting = [connects.end(keys), connects.end(keys)];
    await expect(connects.end(keys)).rejects.toThrow(NotionStoreUnavailableError);
    expect(asked).toBe(2);
    answer({ kind: 'unknown' });
    await Promise.all(waiting);
    await expect(connects.end(keys)).resolves.toEqual({ kind: 'unknown' });
  });

  it('A30: lets the callbacks of one state wait together for the outcome of the first', async () => {
    const store = new CountingStore();
    const answers: ConsumeResult[] = [
      { kind: 'in_progress', usedForMs: 5 },
      { kind: 'in_progress', usedForMs: 5 },
      { kind: 'in_progress', usedForMs: 60 },
      { kind: 'completed', pending },
    ];
    store.answer = () => Promise.resolve(answers.shift()!);
    const connects = new PendingConnects(config, store, new StillClock());
    const results = await Promise.all([connects.end(keys), connects.end(keys)]);
    expect(results).toEqual([
      { kind: 'completed', pending },
      { kind: 'completed', pending },
    ]);
    expect(answers).toEqual([]);
  });

  it('A30: waits no longer than a caller waits for a refresh', async () => {
    const store = new CountingStore();
    let usedForMs = 9_000;
    store.answer = () => Promise.resolve({ kind: 'in_progress', usedForMs: (usedForMs += 400) });
    const connects = new PendingConnects(config, store, new StillClock());
    await expect(connects.end(keys)).resolves.toEqual({ kind: 'used' });
    expect(usedForMs).toBe(10_200);
  });

  it('loses no callback to an outcome that cannot be recorded', async () => {
    const store = new CountingStore();
    await new PendingConnects(config, store, new StillClock()).settle('s', 'completed');
    expect(store.settled).toEqual([['s', 'completed']]);
  });
});
