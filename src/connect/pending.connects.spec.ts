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
  pruned = 0;
  override issue = () => {
    this.issued += 1;
    return Promise.resolve();
  };
  override prune = () => Promise.resolve(this.pruned++);
  override consume = (): Promise<ConsumeResult> => Promise.reject(new Error('connection lost'));
}

describe('PendingConnects', () => {
  const config = {
    connect: { stateLifetimeMs: 600_000, maxPendingPerOwner: 20 },
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

  it('A20: ends no connect while the store is down', async () => {
    const connects = new PendingConnects(config, new CountingStore(), new StillClock());
    await expect(connects.end(keys)).rejects.toThrow(NotionStoreUnavailableError);
  });
});
