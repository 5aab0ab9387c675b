import { describe, expect, it } from '@jest/globals';
import { NotionConfigError, NotionRequestRefusedError } from './errors.js';

describe('the name of an error', () => {
  // A minifier renames classes, as this does.
  it.each([
    ['NotionConfigError', class a extends NotionConfigError {}, []],
    ['NotionRequestRefusedError', class b extends NotionRequestRefusedError {}, 'queue_full'],
  ] as const)('is %s, whatever its class is called at run time', (name, Renamed, argument) => {
    const error = new (Renamed as new (given: unknown) => Error)(argument);
    expect(error.name).toBe(name);
    expect(String(error)).toContain(`${name}: `);
  });
});
