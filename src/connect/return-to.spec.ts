import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deniedReturnTo, safeReturnTo } from './return-to.js';

const DEFAULT = '/home';

describe('safeReturnTo', () => {
  it.each(['/', '/ok?x=1#y', '/a/b/', '/search?q=a%20b&q=c', '/x?to=https://evil.example', '/a:b@c'])(
    'A14: keeps the own path %s as it is',
    (path) => {
      expect(safeReturnTo(path, DEFAULT)).toBe(path);
    },
  );

  it('A14: keeps 2,048 characters, and none of more', () => {
    const path = `/${'a'.repeat(2_047)}`;
    expect(safeReturnTo(path, DEFAULT)).toBe(path);
    expect(safeReturnTo(`${path}a`, DEFAULT)).toBe(DEFAULT);
  });

  it('A14: answers what the browser would make of the path', () => {
    expect(safeReturnTo('/a/../b c/ü', DEFAULT)).toBe('/b%20c/%C3%BC');
  });

  it.each([
    ['//evil.example'],
    ['///evil.example'],
    ['/\\evil.example'],
    ['\\\\evil.example'],
    ['/\t/evil.example'],
    ['/\n/evil.example'],
    [' //evil.example'],
    ['/.//evil.example'],
    ['/a/..//evil.example'],
    ['/%2e//evil.example'],
    ['/a/\\evil.example'],
    ['http://app.example@evil.example'],
    ['https://app.example/ok'],
    ['javascript:alert(1)'],
    ['data:text/html,x'],
    ['https:evil.example'],
    ['https:/evil.example'],
    ['/a\r\nSet-Cookie: x=1'],
    ['/a\u0000'],
    ['ok'],
    ['?x=1'],
    [''],
    [`/${'a'.repeat(2048)}`],
    [undefined],
    [null],
    [7],
    [['/ok']],
    [{ toString: () => '/ok' }],
  ])('A14: sends %j to the default page', (value) => {
    expect(safeReturnTo(value, DEFAULT)).toBe(DEFAULT);
  });

  const hostile = fc.string({
    unit: fc.constantFrom(
      '/',
      '\\',
      '.',
      '%2e',
      '%2f',
      '%5c',
      ':',
      '@',
      '#',
      '?',
      '\t',
      '\r',
      '\n',
      '\0',
      ' ',
      'a',
      'evil.example',
      'https:',
    ),
  });

  it.each(['https://app.example', 'http://localhost:3000'])(
    'never leaves %s, whatever it is given',
    (origin) => {
      fc.assert(
        fc.property(
          fc.oneof(
            hostile,
            hostile.map((tail) => `/${tail}`),
            fc.string(),
            fc.webUrl(),
          ),
          (value) => {
            const path = safeReturnTo(value, DEFAULT);
            expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
            expect(new URL(path, origin).origin).toBe(origin);
            expect(safeReturnTo(path, '/other')).toBe(path);
          },
        ),
        { numRuns: 2_000 },
      );
    },
  );
});

describe('deniedReturnTo', () => {
  it.each([
    ['/', '/?notion=denied'],
    ['/a?x=b%20c#d', '/a?x=b%20c&notion=denied#d'],
    ['/a?notion=denied', '/a?notion=denied'],
    ['/a?notion=connected', '/a?notion=connected&notion=denied'],
  ])('says on %s that the person declined, and leaves the rest as it was written', (returnTo, expected) => {
    expect(deniedReturnTo(returnTo)).toBe(expected);
  });
});
