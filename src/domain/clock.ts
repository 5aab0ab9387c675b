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
}

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
