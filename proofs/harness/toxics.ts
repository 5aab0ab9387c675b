export type Direction = 'upstream' | 'downstream';

/** What is wrong with a wire, after toxiproxy's toxics. Directional ones apply to `direction`, or to both. */
export interface Toxics {
  readonly direction: Direction | 'both';
  /** Added to every chunk, in milliseconds. */
  readonly latencyMs: number;
  /** Up to so many milliseconds more. */
  readonly jitterMs: number;
  /** Bytes per second; 0 for no limit. */
  readonly bytesPerSecond: number;
  /** Nothing gets through any more and nobody is told; with a number, the connection ends after so many ms. */
  readonly timeoutMs: number | 'for ever' | null;
  /** A TCP reset so many milliseconds after the next chunk; `null` for none. */
  readonly resetAfterMs: number | null;
  /** The connection ends when so many bytes went through in the direction; `null` for no limit. */
  readonly limitBytes: number | null;
  /** Chunks are cut into pieces of so many bytes; 0 for none. */
  readonly sliceBytes: number;
  readonly sliceDelayMs: number;
  /** An orderly close is passed on so much later, in milliseconds. */
  readonly slowCloseMs: number;
  /** Every connection is reset, and every new one too. */
  readonly down: boolean;
}

export type ToxicsChange = Partial<Toxics>;

export const NO_TOXICS: Toxics = {
  direction: 'both',
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  timeoutMs: null,
  resetAfterMs: null,
  limitBytes: null,
  sliceBytes: 0,
  sliceDelayMs: 0,
  slowCloseMs: 0,
  down: false,
};

/** The toxics as one direction feels them. */
export function feltBy(direction: Direction, toxics: Toxics): Toxics {
  return toxics.direction === 'both' || toxics.direction === direction ? toxics : NO_TOXICS;
}
