import { HOUR_MS, MINUTE_MS } from './duration.js';

export const TIME_SPANS = ['15m', '24h', '7d'] as const;
/** How far people look back. */
export type TimeSpan = (typeof TIME_SPANS)[number];

/** Buckets of equal width that stand still: they begin at multiples of their width, so one that is over stays as it is. */
export interface TimeGrid {
  readonly bucketMs: number;
  readonly buckets: number;
}

export const TIME_GRIDS: Readonly<Record<TimeSpan, TimeGrid>> = {
  '15m': { bucketMs: MINUTE_MS, buckets: 15 },
  '24h': { bucketMs: 30 * MINUTE_MS, buckets: 48 },
  '7d': { bucketMs: 4 * HOUR_MS, buckets: 42 },
};

/** The numbers of the buckets, oldest first; the last one is under way. A bucket begins at its number times its width. */
export function bucketsUntil({ bucketMs, buckets }: TimeGrid, now: Date): readonly number[] {
  const current = bucketAt({ bucketMs }, now);
  return Array.from({ length: buckets }, (_, index) => current - buckets + 1 + index);
}

export function bucketAt({ bucketMs }: Pick<TimeGrid, 'bucketMs'>, at: Date): number {
  return Math.floor(at.getTime() / bucketMs);
}
