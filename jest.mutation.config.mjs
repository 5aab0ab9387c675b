import base from './jest.config.mjs';
import { chosenArea } from './scripts/mutation.areas.mjs';

const [unit] = base.projects;

export default {
  ...unit,
  setupFilesAfterEnv: [],
  testMatch: chosenArea().tests.map((glob) => `<rootDir>/${glob}`),
  // A mutant that never answers is found out sooner so than by Stryker's own limit.
  testTimeout: 8_000,
};
