import base from './jest.config.mjs';

/** The unit project alone, without the specs that start processes: those run the built code, which knows no mutants. */
const [unit] = base.projects;

export default {
  ...unit,
  testTimeout: base.testTimeout,
  testPathIgnorePatterns: [
    '/node_modules/',
    'unhandled-rejections.spec',
    'connect-process.spec',
    'fleet.spec',
    'readme.spec',
  ],
};
