import type { Randomness } from './randomness.js';

/** Makes a token value; `n` counts from 1 over all kinds. */
export type TokenFactory = (kind: 'access' | 'refresh' | 'code', n: number) => string;

/** Makes values in Notion's present forms: `ntn_…`, `nrt_…`, and UUIDs for codes. */
export class TokenMint {
  private count = 0;

  constructor(
    private readonly randomness: Randomness,
    private readonly factory?: TokenFactory,
  ) {}

  make(kind: 'access' | 'refresh' | 'code'): string {
    this.count += 1;
    if (this.factory !== undefined) return this.factory(kind, this.count);
    if (kind === 'code') return this.randomness.uuid();
    return kind === 'access'
      ? `ntn_${this.randomness.digits(11)}${this.randomness.letters(35)}`
      : `nrt_${this.randomness.digits(11)}${this.randomness.letters(34)}`;
  }

  get made(): number {
    return this.count;
  }

  /** Counts on after a restart, so that a factory that goes by the number does not repeat itself. */
  restore(made: number): void {
    this.count = made;
  }
}
