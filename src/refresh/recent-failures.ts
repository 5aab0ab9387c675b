import { Injectable } from '@nestjs/common';
import { isKnownCode } from '../diagnosis/known-codes.js';
import { Clock } from '../domain/clock.js';
import { bucketAt, TIME_GRIDS, TIME_SPANS, type TimeSpan } from '../domain/time-grid.js';

/** Where failures happen of which no table is kept; those of refreshing are in the attempt journal. */
export const UNJOURNALED_STAGES = ['exchange', 'api', 'webhook'] as const;
export type UnjournaledStage = (typeof UNJOURNALED_STAGES)[number];

/** Failures of one code, in one bucket of a grid. */
export interface FailureCount {
  readonly stage: UnjournaledStage;
  /** One that `diagnose` knows, or `other`. */
  readonly code: string;
  readonly bucket: number;
  readonly total: number;
}

type Bucket = Map<UnjournaledStage, Map<string, number>>;

/** What failed in this process since it started, for people to look at: counts by stage, code and time, and no more. */
@Injectable()
export class RecentFailures {
  /** When counting began. */
  readonly since: Date;
  private readonly grids = new Map<TimeSpan, Map<number, Bucket>>(
    TIME_SPANS.map((span) => [span, new Map()]),
  );

  constructor(private readonly clock: Clock) {
    this.since = clock.now();
  }

  /** @param code - Notion's, the socket's or this library's; one that nobody knows may be anything, and is not kept. */
  note(stage: UnjournaledStage, code: string | undefined): void {
    const now = this.clock.now();
    const counted = code !== undefined && isKnownCode(code) ? code : 'other';
    for (const [span, buckets] of this.grids) {
      const counts = countsOf(bucketOf(buckets, span, now), stage);
      counts.set(counted, (counts.get(counted) ?? 0) + 1);
    }
  }

  list(span: TimeSpan): readonly FailureCount[] {
    return [...(this.grids.get(span) ?? [])].flatMap(([bucket, stages]) =>
      [...stages].flatMap(([stage, counts]) =>
        [...counts].map(([code, total]) => ({ stage, code, bucket, total })),
      ),
    );
  }
}

function bucketOf(buckets: Map<number, Bucket>, span: TimeSpan, now: Date): Bucket {
  const grid = TIME_GRIDS[span];
  const number = bucketAt(grid, now);
  const known = buckets.get(number);
  if (known !== undefined) return known;
  for (const old of buckets.keys()) if (old <= number - grid.buckets) buckets.delete(old);
  const begun: Bucket = new Map();
  buckets.set(number, begun);
  return begun;
}

function countsOf(bucket: Bucket, stage: UnjournaledStage): Map<string, number> {
  const known = bucket.get(stage);
  if (known !== undefined) return known;
  const begun = new Map<string, number>();
  bucket.set(stage, begun);
  return begun;
}
