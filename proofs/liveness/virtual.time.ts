import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

/** 2026-01-05T00:00:00Z: when every simulation begins. */
const BEGINS_AT_MS = 1_767_571_200_000;

const LONGEST_HOLD_NS = 60_000_000_000n;

type Callback = (...given: unknown[]) => unknown;

const realTimers = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  Date: globalThis.Date,
  promised: timersPromises.setTimeout,
};

/** Looks enough like a `NodeJS.Timeout`. */
class VirtualTimer {
  isOver = false;
  /** Of the simulation itself. */
  isOurs = false;

  constructor(
    readonly fire: () => void,
    public atMs: number,
    public number: number,
    readonly everyMs: number | null,
  ) {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/**
 * The time of a simulation, which only moves when everything that was set off has come to rest. While it is
 * installed, timers, `Date` and `performance.now()` of the whole process follow it.
 */
export class VirtualTime {
  /** Since the beginning. */
  nowMs = 0;
  private readonly heap: VirtualTimer[] = [];
  private made = 0;
  private held = 0;
  private immediates = 0;

  /** @param others - resolves when nothing outside of JavaScript is under way, with whether something was */
  constructor(private readonly others: () => Promise<boolean>) {}

  get epochMs(): number {
    return BEGINS_AT_MS + this.nowMs;
  }

  /** Timers of the applications that wait. */
  get waiting(): number {
    return this.heap.filter(({ isOver, isOurs }) => !isOver && !isOurs).length;
  }

  install(): void {
    const clear = (timer: unknown) => {
      if (timer instanceof VirtualTimer) timer.isOver = true;
    };
    const later = (callback: Callback, delayMs?: number, ...given: unknown[]) =>
      this.schedule(() => callback(...given), delayMs, false);
    const every = (callback: Callback, delayMs?: number, ...given: unknown[]) =>
      this.schedule(() => callback(...given), delayMs, true);
    const soon = (callback: Callback, ...given: unknown[]) => {
      this.immediates += 1;
      return realTimers.setImmediate(() => {
        this.immediates -= 1;
        callback(...given);
      });
    };
    Object.assign(globalThis, { setTimeout: later, setInterval: every, setImmediate: soon });
    Object.assign(globalThis, { clearTimeout: clear, clearInterval: clear, Date: this.dateClass() });
    Object.defineProperty(performance, 'now', { value: () => this.nowMs, configurable: true });
    const promised = (delayMs?: number, value?: unknown, options?: { signal?: AbortSignal }) => {
      // A start repeats a statement after a conflict, and must not wait for the time that it holds.
      if (this.held > 0) return realTimers.promised(delayMs, value, options);
      return new Promise((resolve, reject) => {
        const end = () => {
          resolve(value);
        };
        const timer = this.schedule(end, delayMs, false);
        options?.signal?.addEventListener('abort', () => {
          timer.isOver = true;
          reject(new Error('The wait was aborted.'));
        });
      });
    };
    Object.assign(timersPromises, { setTimeout: promised });
    syncBuiltinESMExports();
  }

  uninstall(): void {
    const { promised, ...timers } = realTimers;
    Object.assign(globalThis, timers);
    Reflect.deleteProperty(performance, 'now');
    Object.assign(timersPromises, { setTimeout: promised });
    syncBuiltinESMExports();
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  after(delayMs: number, callback: () => void): void {
    this.schedule(callback, delayMs, false).isOurs = true;
  }

  /** For work that takes real time and no virtual time: time stands still until it has ended. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.held += 1;
    try {
      return await work;
    } finally {
      this.held -= 1;
    }
  }

  /** Lets everything happen that happens until then. */
  async runUntil(untilMs: number): Promise<void> {
    await this.rest();
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs; next = this.heap[0]) {
      this.pop();
      if (next.isOver) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (next.everyMs === null) next.isOver = true;
      else this.push(Object.assign(next, { atMs: this.nowMs + next.everyMs, number: (this.made += 1) }));
      next.fire();
      await this.rest();
    }
    this.nowMs = untilMs;
  }

  /** Forgets every timer, so that what a finished simulation had set off ends. */
  end(): void {
    this.heap.length = 0;
  }

  /**
   * Promises settle between two turns of the event loop; a turn in which nothing is under way is the last.
   * @throws when what is held waits for the time that it holds
   */
  private async rest(): Promise<void> {
    const startedNs = process.hrtime.bigint();
    do {
      await new Promise((resolve) => realTimers.setImmediate(resolve));
      if (this.held > 0 && process.hrtime.bigint() - startedNs > LONGEST_HOLD_NS) {
        throw new Error('Virtual time is held by work that waits for it.');
      }
    } while (this.immediates > 0 || this.held > 0 || (await this.others()));
  }

  private schedule(fire: () => unknown, delayMs: number | undefined, repeats: boolean): VirtualTimer {
    const waitMs = Math.max(1, Math.trunc(Number(delayMs)) || 1);
    const timer = new VirtualTimer(fire, this.nowMs + waitMs, (this.made += 1), repeats ? waitMs : null);
    this.push(timer);
    return timer;
  }

  private dateClass(): DateConstructor {
    const epochMs = () => this.epochMs;
    return class extends realTimers.Date {
      constructor(...given: number[]) {
        super(...((given.length === 0 ? [epochMs()] : given) as [number]));
      }

      static override now(): number {
        return epochMs();
      }
    } as DateConstructor;
  }

  private push(timer: VirtualTimer): void {
    const { heap } = this;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  private pop(): void {
    const { heap } = this;
    const moved = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (child >= heap.length || !isBefore(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  }
}

function isBefore(one: VirtualTimer, other: VirtualTimer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number);
}
