/**
 * What may end one call: the caller's own signal at any time, and the time limit once the call has left the queue.
 * Each call has its own, so that nobody's impatience ends another's call.
 */
export class CallCancellation {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly callerSignal: AbortSignal | null | undefined) {
    if (callerSignal?.aborted === true) this.followCaller();
    else callerSignal?.addEventListener('abort', this.followCaller, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  startTimeLimit(timeoutMs: number): void {
    this.timer = setTimeout(() => {
      this.controller.abort(new DOMException(`The call took longer than ${timeoutMs} ms`, 'TimeoutError'));
    }, timeoutMs);
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
  async orCancelled<Result>(call: Promise<Result>): Promise<Result> {
    if (this.callerSignal == null) return call;
    let stopListening: () => void = () => undefined;
    const cancelled = new Promise<never>((_resolve, reject) => {
      const cancel = (): void => {
        reject(this.signal.reason as Error);
      };
      this.signal.addEventListener('abort', cancel);
      stopListening = () => {
        this.signal.removeEventListener('abort', cancel);
      };
    });
    try {
      return await Promise.race([call, cancelled]);
    } finally {
      stopListening();
    }
  }

  private leaveCaller(): void {
    this.callerSignal?.removeEventListener('abort', this.followCaller);
  }

  private readonly followCaller = (): void => {
    this.controller.abort(this.callerSignal?.reason);
  };
}
