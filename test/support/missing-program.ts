import { it } from '@jest/globals';

/** CI installs everything that the tests look for: there, what is missing is a failure and not a skip. */
const mustHaveAll = process.env['CI'] === 'true';

/**
 * Declares the one test that stands in for those that a missing program keeps from running: skipped, and said loudly;
 * failed under `CI=true`.
 */
export function reportMissing(tests: string, howToHaveThem: string): void {
  process.stderr.write(`\n*** ${mustHaveAll ? 'FAILED' : 'SKIPPED'}: ${tests}. ${howToHaveThem} ***\n`);
  if (mustHaveAll) {
    it(tests, () => {
      throw new Error(`Could not run: ${tests}. ${howToHaveThem}`);
    });
  } else {
    it.skip(`${tests} (${howToHaveThem})`, () => undefined);
  }
}
