/**
 * This process's time. Leases and lifetimes are judged by the database's clock; this one measures waits and
 * deadlines inside the process.
 */
export abstract class Clock {
  abstract now(): Date;

  /** Milliseconds that never run backwards; only differences mean anything. */
  abstract monotonicMs(): number;

  abstract sleep(durationMs: number): Promise<void>;
}

export class SystemClock extends Clock {
  override now(): Date {
    return new Date();
  }

  override monotonicMs(): number {
    return performance.now();
  }

  override sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, durationMs));
  }
}
