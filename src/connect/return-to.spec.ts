import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { returnToWith, safeReturnTo } from './return-to.js';

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

const ALLOWED = ['https://front.example', 'http://localhost:5173'];

describe('safeReturnTo with allowed origins', () => {
  it.each([
    ['https://front.example/settings?tab=notion#top', 'https://front.example/settings?tab=notion#top'],
    ['https://front.example', 'https://front.example/'],
    ['HTTPS://FRONT.example/a', 'https://front.example/a'],
    ['https://front.example:443/a/../b c', 'https://front.example/b%20c'],
    ['https://front.example//evil.example', 'https://front.example//evil.example'],
    ['http://localhost:5173/?x=1', 'http://localhost:5173/?x=1'],
    ['/settings', '/settings'],
  ])('A31: leads %s to %s', (value, expected) => {
    expect(safeReturnTo(value, DEFAULT, ALLOWED)).toBe(expected);
  });

  it.each([
    'http://front.example/',
    'https://front.example:8443/',
    'https://front.example.evil.example/',
    'https://evil.example/https://front.example',
    'https://evil.example#https://front.example',
    'https://front.example@evil.example/',
    'https://user:password@front.example/',
    'https://evil.example\\@front.example/',
    'https://front.example\\.evil.example/',
    'https://sub.front.example/',
    'https:front.example/',
    '//front.example/',
    ' https://front.example/',
    'https://front.example/\r\nSet-Cookie: x=1',
    'http://localhost/',
    'http://localhost:5174/',
    'javascript:alert(1)//https://front.example',
    `https://front.example/${'a'.repeat(2_048)}`,
    null,
  ])('A31: sends %j to the default page', (value) => {
    expect(safeReturnTo(value, DEFAULT, ALLOWED)).toBe(DEFAULT);
  });

  it('A31: leads nowhere but to an allowed origin or the own one, whatever it is given', () => {
    const part = fc.constantFrom(
      'https:',
      'http:',
      '/',
      '//',
      '\\',
      '@',
      ':',
      '.',
      'front.example',
      'evil.example',
    );
    const value = fc.array(fc.oneof(part, fc.string({ maxLength: 3 })), { maxLength: 8 });
    fc.assert(
      fc.property(value, (parts) => {
        const target = new URL(safeReturnTo(parts.join(''), DEFAULT, ALLOWED), 'https://own.example');
        expect([...ALLOWED, 'https://own.example']).toContain(target.origin);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('returnToWith', () => {
  it.each([
    ['/', '/?notion=denied'],
    ['/a?x=b%20c#d', '/a?x=b%20c&notion=denied#d'],
    ['/a?notion=denied', '/a?notion=denied'],
    ['/a?notion=connected', '/a?notion=connected&notion=denied'],
    ['https://front.example/a#b', 'https://front.example/a?notion=denied#b'],
  ])('says on %s that the person declined, and leaves the rest as it was written', (returnTo, expected) => {
    expect(returnToWith(returnTo, 'denied')).toBe(expected);
  });
});
