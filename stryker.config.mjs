import { chosenArea } from './scripts/mutation.areas.mjs';

/** One area of those in `scripts/mutation.areas.mjs`; `npm run mutation` takes them in turn. */
const { name, mutate } = chosenArea();
const folder = `build/stryker/${name.replaceAll(' ', '-')}`;

export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: { configFile: 'jest.mutation.config.mjs', enableFindRelatedTests: false },
  mutate: [...mutate, '!src/**/*.spec.ts', '!src/**/*.providers.ts', '!src/**/*.page.ts'],
  coverageAnalysis: 'perTest',
  tempDirName: `${folder}/tmp`,
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: `${folder}/report.json` },
  ignoreStatic: true,
  // Types are checked elsewhere, and not of every mutant.
  disableTypeChecks: true,
  concurrency: 2,
  timeoutMS: 8_000,
  dryRunTimeoutMinutes: 30,
};
