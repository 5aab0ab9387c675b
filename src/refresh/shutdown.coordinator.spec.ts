import { afterEach, describe, expect, it } from '@jest/globals';
import { ShutdownCoordinator, type ShutdownMember } from './shutdown.coordinator.js';

const coordinator = ShutdownCoordinator.shared;
const joined: ShutdownMember[] = [];

function join(): ShutdownMember {
  const member = { drain: () => Promise.resolve(), saveWhatIsLeft: () => undefined };
  coordinator.join(member);
  joined.push(member);
  return member;
}

function listenerCounts(): number[] {
  return ['SIGTERM', 'SIGINT', 'exit', 'newListener', 'removeListener'].map((event) =>
    process.listenerCount(event),
  );
}

/** What the coordinator does about an added listener, it does at the end of the turn. */
async function settled(): Promise<void> {
  await Promise.resolve();
}

describe('the listeners of the coordinator', () => {
  afterEach(() => {
    for (const member of joined.splice(0)) coordinator.leave(member);
  });

  it('are one for each event, for any number of instances, and none after the last has left', () => {
    const before = listenerCounts();
    const members = [join(), join(), join()];
    expect(listenerCounts()).toEqual(before.map((count) => count + 1));
    for (const member of members) coordinator.leave(member);
    expect(listenerCounts()).toEqual(before);
  });

  it('leave a signal to a listener that was there before', () => {
    const own = () => undefined;
    process.on('SIGTERM', own);
    join();
    expect(process.rawListeners('SIGTERM')).toEqual([own]);
    process.off('SIGTERM', own);
    expect(process.listenerCount('SIGTERM')).toBe(1);
  });

  it.each(['on', 'once', 'prependListener', 'prependOnceListener'] as const)(
    'leave a signal to a listener that is added later (%s), and come back after it',
    async (add) => {
      join();
      const [ours] = process.listeners('SIGINT');
      const own = () => undefined;
      process[add]('SIGINT', own);
      await settled();
      expect(process.listeners('SIGINT')).toEqual([own]);
      process.off('SIGINT', own);
      expect(process.listeners('SIGINT')).toEqual([ours]);
    },
  );

  it('are not called with a listener that Node removes before it calls it', async () => {
    join();
    const calls: number[] = [];
    process.once('SIGTERM', () => calls.push(process.listenerCount('SIGTERM')));
    await settled();
    process.emit('SIGTERM', 'SIGTERM');
    expect(calls).toHaveLength(1);
    expect(coordinator.isDraining).toBe(false);
  });

  it('come back after all listeners of a signal are removed', () => {
    join();
    process.removeAllListeners('SIGTERM');
    expect(process.listenerCount('SIGTERM')).toBe(1);
  });
});
