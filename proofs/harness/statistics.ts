/** @param share - 0 to 1: 0.5 is the median, 0.99 the value that one in a hundred exceeds. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Counts by name. */
export type Tally = Readonly<Record<string, number>>;

export function mergeTallies(tallies: readonly Tally[]): Tally {
  const merged: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [name, count] of Object.entries(tally)) merged[name] = (merged[name] ?? 0) + count;
  }
  return merged;
}

export function total(tally: Tally): number {
  return sum(Object.values(tally));
}
