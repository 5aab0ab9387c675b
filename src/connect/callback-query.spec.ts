import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NotionCallbackRefusedError } from '../domain/errors.js';
import { parseCallbackQuery } from './callback-query.js';

const STATE = 'S'.repeat(43);

function refusalOf(query: string): string {
  try {
    parseCallbackQuery(query);
  } catch (error) {
    if (error instanceof NotionCallbackRefusedError) return error.refusal;
    throw error;
  }
  return 'none';
}

describe('parseCallbackQuery', () => {
  it('reads a code and its state', () => {
    const query = parseCallbackQuery(`code=03a-b%2Bc&state=${STATE}`);
    expect(query).toMatchObject({ kind: 'code', state: STATE });
    expect(query.kind === 'code' && query.code.reveal()).toBe('03a-b+c');
  });

  it('ignores parameters that OAuth does not know', () => {
    expect(parseCallbackQuery(`env=1&code=c&state=${STATE}&returnTo=//evil.example&env=2`).kind).toBe('code');
  });

  it('hands on the issuer for judging', () => {
    expect(parseCallbackQuery(`code=c&state=${STATE}&iss=https%3A%2F%2Fevil.example`).issuer).toBe(
      'https://evil.example',
    );
  });

  it.each(['', 'code=c', 'code=c&state=', 'state=&state', 'error=access_denied&state='])(
    'A5, A6, B2: finds no state in "%s"',
    (query) => {
      expect(['missing_state', 'malformed']).toContain(refusalOf(query));
    },
  );

  it.each([`state=${STATE}`, `state=${STATE}&code=`, `state=${STATE}&code=&error=`])(
    'B4: refuses "%s", which has neither code nor error',
    (query) => {
      expect(refusalOf(query)).toBe('malformed');
    },
  );

  it.each([
    `code=a&code=b&state=${STATE}`,
    `code=a&state=${STATE}&state=${STATE}`,
    `code=a&code=&state=${STATE}`,
    `error=access_denied&error=access_denied&state=${STATE}`,
  ])('B5: refuses "%s", which says something twice', (query) => {
    expect(refusalOf(query)).toBe('malformed');
  });

  it.each(['code[]=a', 'code[x]=1', 'code%5B%5D=a', '__proto__[x]=1', 'constructor[prototype][x]=1'])(
    'B6: refuses "%s" beside a good code and state',
    (extra) => {
      expect(refusalOf(`code=a&state=${STATE}&${extra}`)).toBe('malformed');
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    },
  );

  it.each([
    ['code', `code=${'c'.repeat(2_049)}&state=${STATE}`],
    ['state', `code=c&state=${'s'.repeat(257)}`],
    ['query', `code=c&state=${STATE}&pad=${'p'.repeat(8_192)}`],
  ])('B7: refuses an oversize %s', (_part, query) => {
    expect(refusalOf(query)).toBe('malformed');
  });

  it('A6: takes each parameter that is empty for one that is missing', () => {
    expect(parseCallbackQuery(`code=c&error=&iss=&state=${STATE}`)).toMatchObject({
      kind: 'code',
      issuer: undefined,
    });
    expect(parseCallbackQuery(`code=&error=access_denied&state=${STATE}`)).toMatchObject({ kind: 'error' });
    expect(refusalOf('code=c&state=')).toBe('missing_state');
    expect(refusalOf(`code=&error=&state=${STATE}`)).toBe('malformed');
  });

  it('B7: takes what is as long as it may be', () => {
    const [code, state] = ['c'.repeat(2_048), 's'.repeat(256)];
    const query = `code=${code}&state=${state}&pad=`;
    const parsed = parseCallbackQuery(query + 'p'.repeat(8_192 - query.length));
    expect(parsed).toMatchObject({ kind: 'code', state });
    expect(parsed.kind === 'code' && parsed.code.reveal()).toBe(code);
    expect(refusalOf(query + 'p'.repeat(8_193 - query.length))).toBe('malformed');
  });

  it.each(['%00', '%0d%0a', '%C3%BC', 'ü', '%7F', '%ff'])('B8: refuses %s inside code or state', (bad) => {
    expect(refusalOf(`code=a${bad}&state=${STATE}`)).toBe('malformed');
    expect(refusalOf(`code=a&state=${STATE.slice(1)}${bad}`)).toBe('malformed');
  });

  it('B9: takes code and error together for an error', () => {
    expect(parseCallbackQuery(`code=c&error=access_denied&state=${STATE}`)).toMatchObject({ kind: 'error' });
  });

  it('B3: keeps a known error code, and nothing of an unknown one or of a description', () => {
    const denied = parseCallbackQuery(`error=access_denied&error_description=%3Cscript%3E&state=${STATE}`);
    expect(denied).toEqual({ kind: 'error', reason: 'access_denied', state: STATE, issuer: undefined });
    expect(parseCallbackQuery(`error=%3Cscript%3E&state=${STATE}`)).toMatchObject({ reason: 'other' });
  });

  it('ends every input in an answer or in its own refusal', () => {
    const name = fc.constantFrom(
      'code',
      'state',
      'error',
      'iss',
      'error_description',
      'code[]',
      '__proto__',
      'x',
    );
    const pair = fc
      .tuple(name, fc.oneof(fc.string({ unit: 'binary' }), fc.constant(STATE)))
      .map(([n, v]) => `${n}=${v}`);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pair).map((pairs) => pairs.join('&')),
          fc.string({ unit: 'binary' }),
        ),
        (query) => {
          try {
            const parsed = parseCallbackQuery(query);
            expect(parsed.state).toMatch(/^[\x20-\x7e]{1,256}$/);
            if (parsed.kind === 'code') expect(parsed.code.reveal()).toMatch(/^[\x20-\x7e]{1,2048}$/);
          } catch (error) {
            expect(error).toBeInstanceOf(NotionCallbackRefusedError);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
