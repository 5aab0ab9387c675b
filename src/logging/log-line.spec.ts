import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logLine } from './log-line.js';

describe('logLine', () => {
  it('names the event and what is known of it', () => {
    expect(logLine('connect failed', { kind: 'dead', status: 400, code: undefined, bot: null })).toBe(
      'connect failed kind=dead status=400',
    );
  });

  it('B3: is one line of printable ASCII of at most 1,024 characters, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 10_000 }), (fact) => {
        expect(logLine('connect failed', { fact })).toMatch(/^[\x20-\x7e]{1,1024}$/);
      }),
    );
    expect(logLine('connect failed', { fact: '<script>\r\nERROR forged' })).not.toMatch(/[<\r\n]| ERROR/);
  });
});
