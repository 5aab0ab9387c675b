import { waitAtMost } from './bounded-wait.js';
import { SingleFlight } from './single-flight.js';

describe('SingleFlight', () => {
  it('runs once for all who ask while it is under way, and again afterwards', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const run = async (): Promise<number> => {
      await Promise.resolve();
      return ++runs;
    };
    const answers = await Promise.all(Array.from({ length: 100 }, () => flights.join('a', run)));
    expect(new Set(answers)).toEqual(new Set([1]));
    expect(await flights.join('a', run)).toBe(2);
  });

  it('keeps keys apart', async () => {
    const flights = new SingleFlight<string>();
    expect(
      await Promise.all([
        flights.join('a', () => Promise.resolve('a')),
        flights.join('b', () => Promise.resolve('b')),
      ]),
    ).toEqual(['a', 'b']);
  });

  it('hands a failure to all who wait and keeps nothing of it', async () => {
    const flights = new SingleFlight<number>();
    const fail = (): Promise<number> => Promise.reject(new Error('no'));
    const both = await Promise.allSettled([flights.join('a', fail), flights.join('a', fail)]);
    expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    expect(flights.size).toBe(0);
  });

  it('settles only when every run has ended', async () => {
    const flights = new SingleFlight<number>();
    let finish: (value: number) => void = () => undefined;
    void flights.join('a', () => new Promise((resolve) => (finish = resolve)));
    const settled = flights.settled();
    expect(await waitAtMost(settled, { timeoutMs: 10 })).toBe('timed_out');
    finish(1);
    await settled;
    expect(flights.size).toBe(0);
  });
});

describe('waitAtMost', () => {
  it('answers what it waited for', async () => {
    expect(await waitAtMost(Promise.resolve('done'), { timeoutMs: 1_000 })).toBe('done');
  });

  it('throws the reason when the caller gives up', async () => {
    const caller = new AbortController();
    const waiting = waitAtMost(new Promise(() => undefined), { timeoutMs: 1_000, signal: caller.signal });
    caller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
  });

  it('does not begin to wait for a caller who has given up', async () => {
    const signal = AbortSignal.abort(new Error('left'));
    await expect(waitAtMost(Promise.resolve(1), { timeoutMs: 1_000, signal })).rejects.toThrow('left');
  });
});
