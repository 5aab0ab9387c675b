/**
 * The files that nobody may get past, by area, each with the tests that are about it: all tests for each mutant would
 * take days. None of these tests starts a process, as processes run the built code, which knows no mutants.
 */
export const AREAS = {
  'redirect URIs': {
    mutate: ['src/config/redirect-uri.ts', 'src/config/redirect-uri.host.ts'],
    tests: ['src/config/redirect-uri.spec.ts'],
  },
  'options about them': {
    mutate: ['src/config/redirect-uris.option.ts', 'src/config/webhooks.option.ts'],
    tests: ['src/config/{redirect-uris.option,resolve-config,webhooks.option}.spec.ts'],
  },
  sealing: {
    mutate: ['src/encryption/{aes-gcm,derived-keys,envelope,generate-key,key-ring.cipher}.ts'],
    tests: ['src/encryption/*.spec.ts'],
  },
  'keys in the database': {
    mutate: ['src/encryption/{key-ring.check,notion-key.rotation}.ts'],
    tests: ['test/integration/storage.spec.ts'],
  },
  'origin rules': {
    mutate: [
      'src/outbound/{request-target,outbound-headers,outbound-request}.ts',
      'src/domain/json-nesting.ts',
    ],
    tests: ['src/outbound/*.spec.ts', 'src/domain/json-nesting.spec.ts', 'test/outbound-parsers.spec.ts'],
  },
  'rules of connecting': {
    mutate: [
      'src/connect/{browser-binding,callback-query,callback-result,connect-log,pending.connects,return-to}.ts',
    ],
    tests: ['src/connect/*.spec.ts'],
  },
  'routes of connecting': {
    mutate: [
      'src/connect/*.ts',
      '!src/connect/{browser-binding,callback-query,callback-result,connect-log,pending.connects,return-to}.ts',
    ],
    tests: ['test/e2e/{connect,owners}.e2e-spec.ts'],
  },
  'rules of webhooks': {
    mutate: [
      'src/webhooks/{follow-up.failure,known.tokens,notion-webhook.interceptor,webhook-event,webhook.log,webhook.queue,webhook.verifier}.ts',
    ],
    tests: ['src/webhooks/*.spec.ts'],
  },
  'routes of webhooks': {
    mutate: [
      'src/webhooks/*.ts',
      '!src/webhooks/{follow-up.failure,known.tokens,notion-webhook.interceptor,webhook-event,webhook.log,webhook.queue,webhook.verifier}.ts',
    ],
    tests: ['test/e2e/{webhooks,webhook-bytes}.e2e-spec.ts'],
  },
};

/** Of the environment, as Stryker passes nothing else on to Jest. */
export function chosenArea() {
  const name = process.env.MUTATION_AREA ?? 'redirect URIs';
  const area = AREAS[name];
  if (area === undefined) throw new Error(`MUTATION_AREA is one of: ${Object.keys(AREAS).join(', ')}`);
  return { name, ...area };
}
