import fc from 'fast-check';
import { isNestedDeeper } from './json-nesting.js';

const deeper = (json: string, depth: number): boolean => isNestedDeeper(Buffer.from(json), depth);

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('isNestedDeeper', () => {
  it('agrees with what a parser finds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(8), (value, depth) => {
        expect(deeper(JSON.stringify(value), depth)).toBe(depthOf(value) > depth);
      }),
    );
  });

  it.each([
    ['{"a":"[[[[{{{{"}', false],
    ['{"a":"\\"[[[["}', false],
    ['{"a":"\\\\","b":[[[]]]}', true],
    ['[[]]', false],
    ['[[[]]]', true],
    ['"', false],
    ['', false],
  ])('of %s and a depth of 2 says %j', (json, expected) => {
    expect(deeper(json, 2)).toBe(expected);
  });
});
