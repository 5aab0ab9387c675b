// A rejection that nobody handles ends the process that it happened in, also a worker's and those that tests start.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --unhandled-rejections=strict`.trim();

const base = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] },
  moduleNameMapper: {
    '^nestjs-notion-auth$': '<rootDir>/src/index.ts',
    '^nestjs-notion-auth/(console|health|opentelemetry|prometheus|schedule|testing)$':
      '<rootDir>/src/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};

export default {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/src/**/*.spec.ts',
        '<rootDir>/test/**/*.spec.ts',
        '<rootDir>/test/**/*.e2e-spec.ts',
      ],
    },
    {
      ...base,
      displayName: 'postgres',
      testMatch: ['<rootDir>/test/**/*.pg-spec.ts'],
      globalSetup: '<rootDir>/test/support/postgres.global-setup.ts',
      globalTeardown: '<rootDir>/test/support/postgres.global-teardown.ts',
    },
    { ...base, displayName: 'mariadb', testMatch: ['<rootDir>/test/**/*.mariadb-spec.ts'] },
  ],
  testTimeout: 60_000,
  // Suites mostly wait for databases, processes and deadlines.
  maxWorkers: '100%',
  workerIdleMemoryLimit: '1GB',
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
};
