import { describe, expect, it } from '@jest/globals';
import { outboundHeaders } from './outbound-headers.js';

describe('outboundHeaders', () => {
  it('takes a record, pairs and Headers alike, names in lower case', () => {
    const expected = { 'notion-version': '2026-03-11', accept: 'a, b' };
    expect(outboundHeaders({ 'Notion-Version': '2026-03-11', Accept: 'a, b' })).toEqual(expected);
    expect(outboundHeaders(new Headers({ 'Notion-Version': '2026-03-11', Accept: 'a, b' }))).toEqual(
      expected,
    );
    const pairs: [string, string][] = [
      ['Notion-Version', '2026-03-11'],
      ['accept', 'a'],
      ['Accept', 'b'],
    ];
    expect(outboundHeaders(pairs)).toEqual(expected);
    expect(outboundHeaders(undefined)).toEqual({});
  });

  it.each([
    'Authorization',
    'AUTHORIZATION',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Accept-Encoding',
  ])('G5: leaves out a %s of the caller', (name) => {
    expect(outboundHeaders({ [name]: 'x', accept: 'y' })).toEqual({ accept: 'y' });
  });

  it.each(['a\r\nauthorization: Bearer other', 'a\nb', 'a\rb', 'a\u0000b', 'Ā', 'a\u007fb'])(
    'G5: refuses the value %j without repeating it',
    (value) => {
      const attempt = () => outboundHeaders({ 'x-custom': value });
      expect(attempt).toThrow(expect.objectContaining({ refusal: 'invalid_header' }));
      expect(attempt).not.toThrow(value);
    },
  );

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'ä'])('G5: refuses the name %j', (name) => {
    expect(() => outboundHeaders({ [name]: 'x' })).toThrow(
      expect.objectContaining({ refusal: 'invalid_header' }),
    );
  });
});
