/** Full jitter between half of `baseMs` and one and a half times it, so that replicas do not move in step. */
export function jittered(baseMs: number): number {
  return baseMs * (0.5 + Math.random());
}

/** Doubling waits with jitter, from `firstMs` to `longestMs`, for ever. */
export function* growingWaits(firstMs: number, longestMs: number): Generator<number, never> {
  for (let baseMs = firstMs; ; baseMs = Math.min(longestMs, baseMs * 2)) yield jittered(baseMs);
}
