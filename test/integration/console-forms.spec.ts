import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Secret, KeyRingCipher } from 'nestjs-notion-auth';
import { FormTokens } from '../../src/console/form-tokens.js';
import { SignedNotes } from '../../src/console/signed-notes.js';
import { MovedClock } from '../support/health.app.js';

const OLD = { id: 'k1', key: new Secret(randomBytes(32).toString('base64')) };
const NEW = { id: 'k2', key: new Secret(randomBytes(32).toString('base64')) };
const ID = '00000000-0000-4000-8000-000000000001';

function ring(...keys: readonly [typeof OLD, ...(typeof OLD)[]]): KeyRingCipher {
  return new KeyRingCipher({ encryptionKeys: keys });
}

function formsOf(cipher: KeyRingCipher, redirectUri = 'https://app.example/notion/callback'): FormTokens {
  return new FormTokens({ redirectUris: [redirectUri] }, cipher);
}

describe('the token of a form', () => {
  it('is taken by any replica that has the key, also while keys are changed', () => {
    const { token, setCookie } = formsOf(ring(OLD)).open(undefined);
    const cookie = setCookie!.split(';')[0]!;
    expect(formsOf(ring(OLD)).accepts(cookie, token)).toBe(true);
    expect(formsOf(ring(NEW, OLD)).accepts(cookie, token)).toBe(true);
    expect(formsOf(ring(NEW)).accepts(cookie, token)).toBe(false);
  });

  it('is the same for all pages of a browser, and no cookie is set twice', () => {
    const forms = formsOf(ring(OLD));
    const first = forms.open(undefined);
    expect(forms.open(first.setCookie!.split(';')[0])).toEqual({ token: first.token });
  });

  it('does not say what the cookie is', () => {
    const { token, setCookie } = formsOf(ring(OLD)).open(undefined);
    expect(setCookie).not.toContain(token);
  });

  it.each([
    undefined,
    '',
    'x',
    '__Host-notion-console=short',
    `__Host-notion-console=${'a'.repeat(43)}`,
    'x'.repeat(40_000),
  ])('is not taken with the cookies %j', (cookies) => {
    const forms = formsOf(ring(OLD));
    expect(forms.accepts(cookies, forms.open(undefined).token)).toBe(false);
  });

  it('goes without Secure and __Host- where the application is plain HTTP, as on a developer’s machine', () => {
    const { setCookie } = formsOf(ring(OLD), 'http://localhost:3000/notion/callback').open(undefined);
    expect(setCookie).toMatch(/^notion-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  });
});

describe('a note of what was done', () => {
  const done = { action: 'disconnect', outcome: 'revoked', owners: 3 } as const;

  it('is read once written, for its authorization and for five minutes', () => {
    const clock = new MovedClock();
    const notes = new SignedNotes(ring(OLD), clock);
    const written = notes.write(ID, done);
    expect(notes.read(ID, written)).toEqual(done);
    expect(notes.read(ID.replace('1', '2'), written)).toBeNull();
    clock.moveOn(5 * 60_000);
    expect(notes.read(ID, written)).toBeNull();
  });

  it.each([
    null,
    '',
    '....',
    'disconnect.revoked.3.1.sig',
    'x'.repeat(100_000),
    'disconnect.revoked.3.99999999999999.',
  ])('is not made by hand: %j', (written) => {
    expect(new SignedNotes(ring(OLD), new MovedClock()).read(ID, written)).toBeNull();
  });

  it('is no token of a form, and a token of a form is no note', () => {
    const cipher = ring(OLD);
    const { token } = formsOf(cipher).open(undefined);
    const notes = new SignedNotes(cipher, new MovedClock());
    expect(notes.read(ID, notes.write(ID, done).replace(/[\w-]{43}$/, token))).toBeNull();
  });
});
