/**
 * This process's time. Leases and lifetimes are judged by the database's clock; this one measures waits and
 * deadlines inside the process.
 */
export abstract class Clock {
  abstract now(): Date;

  /** Milliseconds that never run backwards; only differences mean anything. */
  abstract monotonicMs(): number;

  /** Resolves after `durationMs`, or when `signal` aborts. */
  abstract sleep(durationMs: number, signal?: AbortSignal): Promise<void>;

  /**
   * Starts a stopwatch. It reads the larger of monotonic and wall-clock time, in milliseconds: the monotonic clock
   * stands still while a machine is suspended, and the wall clock may be set back.
   */
  stopwatch(): Stopwatch {
    const startedMs = this.monotonicMs();
    const startedAtMs = this.now().getTime();
    return () => Math.max(this.monotonicMs() - startedMs, this.now().getTime() - startedAtMs);
  }
}

/** Milliseconds since it was started. */
export type Stopwatch = () => number;

export class SystemClock extends Clock {
  override now(): Date {
    return new Date();
  }

  override monotonicMs(): number {
    return performance.now();
  }

  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, durationMs);
      signal?.addEventListener('abort', end);
    });
  }
}
