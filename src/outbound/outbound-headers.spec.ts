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
    'Proxy-Authorization',
    'Proxy-Connection',
    'Connection',
    'Keep-Alive',
    'Upgrade',
    'Expect',
    'TE',
    'Trailer',
  ])('G5: leaves out a %s of the caller', (name) => {
    expect(outboundHeaders({ [name]: 'x', accept: 'y' })).toEqual({ accept: 'y' });
  });

  it.each([
    'a\r\nauthorization: Bearer other',
    'a\nb',
    'a\rb',
    'a\u0000b',
    'Ā',
    'a\u007fb',
    'a\r\n\r\nGET /v1/oauth/token HTTP/1.1',
    '\n',
    'a\u000bb',
    'a\u2028b',
    '\ud83c',
    '嘊嘍set-cookie: a=b',
  ])('G5: refuses the value %j without repeating it', (value) => {
    const attempt = () => outboundHeaders({ 'x-custom': value });
    expect(attempt).toThrow(expect.objectContaining({ refusal: 'invalid_header' }));
    expect(attempt).not.toThrow(value);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a:b',
    'a\r\nb',
    'ä',
    'a\u0000',
    'authorization ',
    'authorization:',
    '\tauthorization',
    'a\nauthorization',
    '(a)',
    'a,b',
    'ａ',
  ])('G5: refuses the name %j', (name) => {
    expect(() => outboundHeaders({ [name]: 'x' })).toThrow(
      expect.objectContaining({ refusal: 'invalid_header' }),
    );
  });

  it('G5: checks the text that is sent, whatever kind of value was given', () => {
    const refused = [
      [['x', ['a\r\nb']]],
      { x: ['a\r\nb'] },
      { x: { toString: () => 'a\r\nb' } },
      new Map([['x\r\ny', 'a']]),
      [[['x\r\ny'], 'a']],
    ];
    for (const given of refused) {
      const attempt = () => outboundHeaders(given as unknown as RequestInit['headers']);
      expect(attempt).toThrow(expect.objectContaining({ refusal: 'invalid_header' }));
    }
    const odd = [
      [['Authorization'], 'Bearer other'],
      ['x', 7],
    ] as unknown as RequestInit['headers'];
    expect(outboundHeaders(odd)).toEqual({ x: '7' });
  });

  it('G5: reads a value once, so that it cannot change between check and use', () => {
    let reads = 0;
    const fickle = { toString: () => ((reads += 1) === 1 ? 'a' : 'a\r\nb') };
    expect(outboundHeaders([['x', fickle]] as unknown as RequestInit['headers'])).toEqual({ x: 'a' });
  });

  it('G5: takes the names of what every object has for names like others', () => {
    const given = JSON.parse('{"constructor":"a","__proto__":"b","valueOf":"c"}') as Record<string, string>;
    expect(Object.entries(outboundHeaders(given))).toEqual([
      ['constructor', 'a'],
      ['__proto__', 'b'],
      ['valueof', 'c'],
    ]);
    expect(Object.getPrototypeOf(outboundHeaders(given))).toBe(Object.prototype);
  });
});
