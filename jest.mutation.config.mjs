import base from './jest.config.mjs';

/**
 * Of the unit project what is about the mutated files, without the specs that start processes: those run the built
 * code, which knows no mutants.
 */
const [unit] = base.projects;
const ABOUT =
  '{src/{config,connect,domain,encryption,outbound,webhooks}/**/*.spec,test/entry-parsers.spec}.ts';
const THROUGH_HTTP = 'test/e2e/{connect,owners,webhooks,fastify}.e2e-spec.ts';
const IN_AN_APPLICATION =
  'test/integration/{outbound,outbound-attacks,interceptor,two-clients,storage}.spec.ts';

export default {
  ...unit,
  testMatch: [ABOUT, THROUGH_HTTP, IN_AN_APPLICATION].map((glob) => `<rootDir>/${glob}`),
  testTimeout: base.testTimeout,
};
