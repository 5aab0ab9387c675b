interface Slice {
  readonly number: number;
  count: number;
}

/** Counts what happened within a window, a tenth of it at a time. Times are monotonic. */
export class SlidingCount {
  private slices: Slice[] = [];
  private readonly sliceMs: number;

  constructor(private readonly windowMs: number) {
    this.sliceMs = windowMs / 10;
  }

  add(nowMs: number): void {
    const number = Math.floor(nowMs / this.sliceMs);
    const newest = this.slices.at(-1);
    if (newest?.number === number) newest.count += 1;
    else this.slices = [...this.within(nowMs), { number, count: 1 }];
  }

  total(nowMs: number): number {
    return this.within(nowMs).reduce((sum, { count }) => sum + count, 0);
  }

  private within(nowMs: number): Slice[] {
    const oldest = Math.floor((nowMs - this.windowMs) / this.sliceMs);
    return this.slices.filter(({ number }) => number > oldest);
  }
}
