type Cancel = (reason: Error) => void;

/**
 * What may end one call: the caller's own signal at any time, and the time limit once the call has left the queue.
 * Each call has its own, so that nobody's impatience ends another's call. (An `AbortController` per call would do
 * the same; making one costs as much as a third of the call.)
 */
export class CallCancellation {
  private reason: Error | undefined;
  private timer: NodeJS.Timeout | undefined;
  private listener: Cancel | undefined;

  constructor(readonly callerSignal: AbortSignal | undefined) {
    if (callerSignal?.aborted === true) this.followCaller();
    else callerSignal?.addEventListener('abort', this.followCaller, { once: true });
  }

  startTimeLimit(timeoutMs: number): void {
    this.timer = setTimeout(() => {
      this.cancel(new DOMException(`The call took longer than ${timeoutMs} ms`, 'TimeoutError'));
    }, timeoutMs).unref();
  }

  cancel(reason: Error): void {
    this.reason ??= reason;
    this.listener?.(this.reason);
  }

  throwIfCancelled(): void {
    if (this.reason !== undefined) throw this.reason;
  }

  /** The one who holds the call now and can end it; takes the place of the one before. */
  onCancel(listener: Cancel): void {
    this.listener = listener;
  }

  /** The call is over; one that goes on as a stream is bounded by its reader and still obeys the caller's signal. */
  release(streamEnded?: Promise<void>): void {
    clearTimeout(this.timer);
    if (streamEnded === undefined) this.leaveCaller();
    else
      void streamEnded.then(() => {
        this.leaveCaller();
      });
  }

  /** Settles as `call` does, or rejects at once when the caller's signal aborts, even from within a queue. */
  async orAborted<Result>(call: Promise<Result>): Promise<Result> {
    const signal = this.callerSignal;
    if (signal === undefined) return call;
    let stopListening: () => void = () => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      const abort = (): void => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort);
      stopListening = () => {
        signal.removeEventListener('abort', abort);
      };
    });
    try {
      return await Promise.race([call, aborted]);
    } finally {
      stopListening();
    }
  }

  private leaveCaller(): void {
    this.callerSignal?.removeEventListener('abort', this.followCaller);
  }

  private readonly followCaller = (): void => {
    this.cancel(this.callerSignal?.reason as Error);
  };
}
