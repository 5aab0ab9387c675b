import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { AccessToken } from '../domain/secret.js';
import { CallLanes, type CallLane } from './call-lanes.js';

const atMost = (maxConcurrentPerAuthorization: number) => ({
  maxConcurrentPerAuthorization,
  maxQueuedPerAuthorization: 1_000,
  maxCalls: 1_000,
});

/** Node 20 has no `Promise.withResolvers`. */
function barrier(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((open) => (resolve = open));
  return { promise, resolve };
}

describe('CallLanes', () => {
  it('lets no more than the bound run at once, per authorization and in order', async () => {
    const lanes = new CallLanes(atMost(2));
    const running = { a: 0, b: 0 };
    const most = { a: 0, b: 0 };
    const order: number[] = [];
    const call = (id: 'a' | 'b', number: number) =>
      lanes.run(id, async () => {
        order.push(number);
        most[id] = Math.max(most[id], ++running[id]);
        await turn();
        running[id]--;
      });
    await Promise.all([0, 1, 2, 3, 4, 5].map((number) => call(number % 2 === 0 ? 'a' : 'b', number)));
    expect(most).toEqual({ a: 2, b: 2 });
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('J3: keeps nothing of lanes that fell idle, also after failures', async () => {
    const lanes = new CallLanes(atMost(3));
    const calls = Array.from({ length: 500 }, (_, number) =>
      lanes.run(`authorization-${number % 50}`, async () => {
        await turn();
        if (number % 7 === 0) throw new Error('failed');
      }),
    );
    await Promise.allSettled(calls);
    await lanes.run('sequential', () => Promise.resolve());
    expect(lanes.size).toBe(0);
  });

  it('never has two lanes for one authorization', async () => {
    const lanes = new CallLanes(atMost(1));
    let running = 0;
    let most = 0;
    const storm = async (): Promise<void> => {
      for (let round = 0; round < 200; round++) {
        await lanes.run('a', async () => {
          most = Math.max(most, ++running);
          if (round % 3 === 0) await turn();
          running--;
        });
        if (round % 5 === 0) await turn();
      }
    };
    await Promise.all([storm(), storm(), storm(), storm()]);
    expect(most).toBe(1);
  });

  it('remembers the latest refused token, whatever the order of the refusals', async () => {
    const token = (version: number) => new AccessToken(`ntn_${version}`, 'a', version);
    const seen = await new CallLanes(atMost(1)).run('a', (lane: CallLane) => {
      lane.reject(token(2));
      lane.reject(token(1));
      return Promise.resolve([1, 2, 3].map((version) => lane.knowsRejected(token(version))));
    });
    expect(seen).toEqual([true, true, false]);
  });

  it('J3: refuses a call at once when too many wait for its authorization, and lets others pass', async () => {
    const lanes = new CallLanes({ ...atMost(1), maxQueuedPerAuthorization: 2 });
    const gate = barrier();
    const held = [1, 2, 3].map(() => lanes.run('busy', () => gate.promise));
    await expect(lanes.run('busy', () => gate.promise)).rejects.toMatchObject({ refusal: 'queue_full' });
    await expect(lanes.run('other', () => Promise.resolve('sent'))).resolves.toBe('sent');
    gate.resolve();
    await Promise.all(held);
    await expect(lanes.run('busy', () => Promise.resolve('sent'))).resolves.toBe('sent');
    expect(lanes.size).toBe(0);
  });

  it('J3: refuses a call at once when too many wait in all', async () => {
    const lanes = new CallLanes({ ...atMost(1), maxCalls: 3 });
    const gate = barrier();
    const held = ['a', 'b', 'c'].map((id) => lanes.run(id, () => gate.promise));
    await expect(lanes.run('d', () => gate.promise)).rejects.toMatchObject({ refusal: 'queue_full' });
    gate.resolve();
    await Promise.all(held);
    await expect(lanes.run('d', () => Promise.resolve('sent'))).resolves.toBe('sent');
  });
});
