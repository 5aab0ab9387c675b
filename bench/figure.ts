import { median } from './rounds.js';

/** One line of what `npm run bench` prints, and of the table in the README. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  readonly isMet: boolean;
}

export function perSecond(rates: readonly number[]): string {
  return `${median(rates).toFixed(0)}/s`;
}

export function print(figures: readonly Figure[]): void {
  for (const { what, measured, goal, isMet } of figures) {
    console.log(`${isMet ? '  ' : '! '}${what}\n      ${measured}   (goal: ${goal})`);
  }
}
