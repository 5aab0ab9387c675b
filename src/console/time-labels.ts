import type { TimeSpan } from '../domain/time-grid.js';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** When a bucket begins, in UTC; with its day where there are several. */
export function timeLabel(span: TimeSpan, at: Date): string {
  const time = at.toISOString().slice(11, 16);
  return span === '15m' ? time : `${DAYS[at.getUTCDay()] ?? ''} ${time}`;
}

/** Of the first, the middle and the last bucket; the last one is under way. */
export function xLabelsOf(span: TimeSpan, buckets: readonly { readonly from: Date }[]): readonly string[] {
  const [first, middle] = [buckets[0], buckets[Math.floor(buckets.length / 2)]];
  if (first === undefined || middle === undefined) return [];
  return [timeLabel(span, first.from), timeLabel(span, middle.from), 'now'];
}
