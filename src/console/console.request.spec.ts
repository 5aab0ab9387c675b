import { describe, expect, it } from '@jest/globals';
import { leastTimeOf } from '../../test/support/least-time.js';
import { fieldOf, placeIn, placeText, searchIn, spanIn, statusIn } from './console.request.js';
import { ConsoleLinks } from './console-links.js';
import { isSentFromHere } from './same-site.js';

const MEBIBYTE = 2 ** 20;
const LIMIT_MS = 50;

describe('what is looked for', () => {
  it.each([
    ['  Büro  ', 'Büro'],
    ['a\u0000b\nc', 'a b c'],
    ['', undefined],
    ['0F0f0f0f111142228333444444444444', '0F0f0f0f-1111-4222-8333-444444444444'],
    ['x'.repeat(500), 'x'.repeat(128)],
    [`${'x'.repeat(127)}😀`, 'x'.repeat(127)],
  ])('%j is %j', (q, expected) => {
    const query = new URLSearchParams();
    query.set('q', q);
    expect(searchIn(query)).toBe(expected);
  });

  it(`J9: is read within ${String(LIMIT_MS)} ms from a MiB, whatever it is full of`, () => {
    for (const piece of ['a', '%', ' ', '\u0000', '0f', '_', '1_', '\ud83d\ude00', '0f0f-']) {
      const query = new URLSearchParams();
      const text = piece.repeat(MEBIBYTE / piece.length);
      for (const name of ['q', 'after', 'status', 'span']) query.set(name, text);
      const read = () => [searchIn(query), placeIn(query), statusIn(query), spanIn(query)];
      expect([piece, leastTimeOf(read, LIMIT_MS) <= LIMIT_MS]).toEqual([piece, true]);
    }
  });
});

describe('a place in the list', () => {
  it('is read as it was written, and nothing else is', () => {
    const place = { statusSince: new Date(1_700_000_000_123), id: '0f0f0f0f-1111-4222-8333-444444444444' };
    expect(placeIn(new URLSearchParams({ after: placeText(place) }))).toEqual(place);
    for (const after of ['', '1', '1_', '_x', '-1_0f0f0f0f-1111-4222-8333-444444444444', '1_x_y', '1e9_z'])
      expect([after, placeIn(new URLSearchParams({ after }))]).toEqual([after, undefined]);
  });
});

describe('a field of a form', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    ['formToken=x'],
    [{ formToken: ['x'] }],
    [{ formToken: { x: 1 } }],
    [[]],
  ])('is not found in %j', (body) => {
    expect(fieldOf({ body, url: '/', headers: {} }, 'formToken')).toBeUndefined();
  });

  it('is no property of every object', () => {
    expect(fieldOf({ body: {}, url: '/', headers: {} }, 'constructor')).toBeUndefined();
  });
});

describe('links', () => {
  it.each([
    ['/notion/console', 0],
    ['/notion/console/', 0],
    ['/notion/console?span=7d', 0],
    ['/notion/console/authorizations', 1],
    ['/notion/console/authorizations/?q=x', 1],
    ['/notion/console/authorizations/1', 2],
    ['/notion/console/authorizations/1/refresh', 3],
  ])('lead from %s to every other page', (url, depth) => {
    const links = ConsoleLinks.from({ url, headers: {} }, depth);
    const from = (link: string) => new URL(link, `http://proxy.example/before${url}`).pathname;
    expect([from(links.overview()), from(links.list()), from(links.action('1', 'refresh'))]).toEqual([
      '/before/notion/console',
      '/before/notion/console/authorizations',
      '/before/notion/console/authorizations/1/refresh',
    ]);
  });
});

describe('a form', () => {
  it.each([
    [{}, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://inner.example', host: 'outer' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: 'https://app.example', host: 'APP.example' }, true],
    [{ origin: 'https://app.example:444', host: 'app.example' }, false],
    [{ origin: 'null', host: 'app.example' }, false],
    [{ origin: 'null', host: 'app.example', 'x-forwarded-host': 'null' }, false],
    [{ origin: 'https://ops.example', host: 'inner:3000', 'x-forwarded-host': 'ops.example, b' }, true],
    [{ origin: 'https://evil.example', host: 'inner:3000', 'x-forwarded-host': 'ops.example' }, false],
    [{ origin: 'https://app.example.evil.example', host: 'app.example' }, false],
  ])('with the headers %j is from here: %j', (headers, expected) => {
    expect(isSentFromHere(headers)).toBe(expected);
  });

  it('behind a proxy that changes Host is from the configured public origin alone', () => {
    const from = (origin: string, more = {}) =>
      isSentFromHere({ origin, host: 'inner:3000', ...more }, 'https://ops.example');
    expect(from('https://ops.example')).toBe(true);
    expect(from('http://ops.example')).toBe(false);
    expect(from('https://evil.example')).toBe(false);
    expect(from('https://ops.example', { 'sec-fetch-site': 'cross-site' })).toBe(false);
  });
});
