import { CachedReading } from './cached-reading.js';

/** A reading whose time and answers are the test's own. */
function staged() {
  const stage = { nowMs: 0, begun: 0, answer: () => Promise.resolve('read') };
  const cached = new CachedReading(
    () => {
      stage.begun += 1;
      return stage.answer();
    },
    () => stage.nowMs,
  );
  const poll = async (atMs: number): Promise<void> => {
    stage.nowMs = atMs;
    await Promise.race([cached.refresh(), new Promise((resolve) => setImmediate(resolve))]);
  };
  return { stage, cached, poll };
}

const refuse = () => Promise.reject(new Error('connection refused'));
const hang = () => new Promise<string>(() => undefined);

describe('CachedReading', () => {
  it('I5: begins one reading in five seconds, however often it is polled', async () => {
    const { stage, cached, poll } = staged();
    for (let atMs = 0; atMs < 10_000; atMs += 1) await poll(atMs);
    expect(stage.begun).toBe(2);
    expect(cached.notOlderThan(5_000)).toBe('read');
  });

  it('I5: begins a third at most beside those that hang', async () => {
    const { stage, poll } = staged();
    stage.answer = hang;
    for (let atMs = 0; atMs < 600_000; atMs += 1_000) await poll(atMs);
    expect(stage.begun).toBe(3);
  });

  it.each([
    ['refused', refuse],
    ['swallowed', hang],
  ])('is unreachable after three failures and fifteen seconds when it is %s', async (_, answer) => {
    const { stage, cached, poll } = staged();
    await poll(0);
    stage.answer = answer;
    const seen: [number, boolean][] = [];
    for (let atMs = 5_000; atMs <= 30_000; atMs += 1_000) {
      await poll(atMs);
      seen.push([atMs, cached.isUnreachable]);
    }
    expect(seen.filter(([, isUnreachable]) => isUnreachable).map(([atMs]) => atMs)[0]).toBe(20_000);
  });

  it('is reachable again with the first answer', async () => {
    const { stage, cached, poll } = staged();
    stage.answer = refuse;
    for (const atMs of [0, 5_000, 10_000, 15_000]) await poll(atMs);
    expect(cached.isUnreachable).toBe(true);
    stage.answer = () => Promise.resolve('again');
    await poll(20_000);
    expect([cached.isUnreachable, cached.notOlderThan(0)]).toEqual([false, 'again']);
  });

  it('takes one failure, and fifteen seconds with an answer among them, for nothing', async () => {
    const { stage, cached, poll } = staged();
    for (let atMs = 0; atMs <= 60_000; atMs += 5_000) {
      stage.answer = atMs % 15_000 === 0 ? () => Promise.resolve('read') : refuse;
      await poll(atMs);
      expect(cached.isUnreachable).toBe(false);
    }
  });

  it('knows nothing any more when it is old', async () => {
    const { stage, cached, poll } = staged();
    await poll(0);
    stage.nowMs = 15_001;
    expect(cached.notOlderThan(15_000)).toBeNull();
  });
});
