export interface WaitLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for what somebody else is doing, and no longer than the limits say; what is waited for goes on.
 * @returns `'timed_out'` at the end of `timeoutMs`.
 * @throws the signal's reason when it aborts.
 */
export async function waitAtMost<Result>(
  promise: Promise<Result>,
  { timeoutMs, signal }: WaitLimits,
): Promise<Result | 'timed_out'> {
  // Whoever has left does not hear of its failure.
  promise.catch(() => undefined);
  signal?.throwIfAborted();
  let stop: () => void = () => undefined;
  const limit = new Promise<'timed_out'>((resolve, reject) => {
    // What is waited for holds the process; the limit alone does not.
    const timer = setTimeout(resolve, timeoutMs, 'timed_out').unref();
    const abort = (): void => {
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    stop();
  }
}

/**
 * Does nothing for `timeoutMs`, and leaves no timer behind when the signal aborts.
 * @throws the signal's reason when it aborts.
 */
export async function pause(limits: WaitLimits): Promise<void> {
  await waitAtMost(new Promise<never>(() => undefined), limits);
}
