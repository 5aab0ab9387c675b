import { describe, expect, it } from '@jest/globals';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { BrowserBinding } from './browser-binding.js';

const HTTPS = 'https://app.example/notion/callback';
const HTTP = 'http://localhost:3000/notion/callback';

describe('BrowserBinding', () => {
  const bindingFor = (...redirectUris: string[]) =>
    new BrowserBinding({
      redirectUris,
      connect: { stateLifetimeMs: 600_000 },
    } as unknown as NotionAuthConfig);
  const binding = bindingFor(HTTPS);
  const cookieOf = (setCookie: string) => setCookie.split(';')[0]!;

  it('A2: binds by a __Host- cookie that lives as long as the state', () => {
    const { setCookie } = binding.bind(undefined, HTTPS);
    const [pair, ...attributes] = setCookie.split('; ');
    expect(pair).toMatch(/^__Host-notion-auth=[A-Za-z0-9_-]{43}$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure']);
  });

  it('A2: goes without Secure and __Host- on plain http', () => {
    const { setCookie } = bindingFor(HTTP).bind(undefined, HTTP);
    expect(setCookie).toMatch(/^notion-auth=/);
    expect(setCookie).not.toContain('Secure');
  });

  it('C9: follows the redirect URI that is used, not the first that is configured', () => {
    const mixed = bindingFor(HTTP, HTTPS);
    for (const [redirectUri, name] of [
      [HTTPS, '__Host-notion-auth'],
      [HTTP, 'notion-auth'],
    ] as const) {
      const { browserHash, setCookie } = mixed.bind(undefined, redirectUri);
      expect(setCookie.startsWith(`${name}=`)).toBe(true);
      expect(setCookie.includes('Secure')).toBe(redirectUri === HTTPS);
      expect(mixed.recognise(cookieOf(setCookie))).toBe(browserHash);
    }
  });

  it('C9: takes no plain cookie for the __Host- one with the same value', () => {
    const mixed = bindingFor(HTTP, HTTPS);
    const { browserHash, setCookie } = mixed.bind(undefined, HTTPS);
    const planted = cookieOf(setCookie).replace('__Host-', '');
    expect(mixed.recognise(planted)).not.toBe(browserHash);
    expect(binding.recognise(planted)).toBeNull();
    expect(mixed.recognise(`${planted}; ${cookieOf(setCookie)}`)).toBe(browserHash);
  });

  it('A11: shares one cookie between the tabs of a browser, and none between browsers', () => {
    const first = binding.bind(undefined, HTTPS);
    const second = binding.bind(`other=1; ${cookieOf(first.setCookie)}`, HTTPS);
    expect(second).toEqual(first);
    expect(binding.bind(undefined, HTTPS).browserHash).not.toBe(first.browserHash);
  });

  it('recognises the browser by its cookie alone', () => {
    const { browserHash, setCookie } = binding.bind(undefined, HTTPS);
    expect(binding.recognise(cookieOf(setCookie))).toBe(browserHash);
    expect(binding.recognise('other=1')).toBeNull();
    expect(binding.recognise(undefined)).toBeNull();
  });

  it('looks at a header of 32 KiB, and at none that is longer', () => {
    const { browserHash, setCookie } = binding.bind(undefined, HTTPS);
    const ours = cookieOf(setCookie);
    const headerOf = (length: number) =>
      `${ours}; other=${'x'.repeat(length - ours.length - '; other='.length)}`;
    expect(binding.recognise(headerOf(32 * 1024))).toBe(browserHash);
    expect(binding.recognise(headerOf(32 * 1024 + 1))).toBeNull();
  });

  it.each(['', 'short', 'a'.repeat(44), `${'a'.repeat(42)}!`, encodeURIComponent('ä'.repeat(43))])(
    'A6: takes a cookie of the foreign shape "%s" for none',
    (value) => {
      const header = `__Host-notion-auth=${value}`;
      expect(binding.recognise(header)).toBeNull();
      expect(cookieOf(binding.bind(header, HTTPS).setCookie)).not.toBe(header);
    },
  );
});
