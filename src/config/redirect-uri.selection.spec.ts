import fc from 'fast-check';
import { otherHost, requireRedirectUri, selectRedirectUri } from './redirect-uri.selection.js';

const HTTPS = 'https://app.example/cb';
const TENANT = 'https://acme.app.example:8443/cb';
const LOCAL = 'http://localhost:3000/cb';
const OTHER_PORT = 'http://localhost:4000/cb';
const IPV6 = 'http://[::1]:3000/cb';
const URIS = [HTTPS, TENANT, LOCAL, OTHER_PORT, IPV6] as const;

describe('the redirect URI for a request', () => {
  it.each<[string | undefined, string]>([
    ['app.example', HTTPS],
    ['APP.example', HTTPS],
    ['app.example:443', HTTPS],
    ['app.example:80', HTTPS],
    ['acme.app.example:8443', TENANT],
    ['acme.app.example', TENANT],
    ['localhost:3000', LOCAL],
    ['localhost:4000', OTHER_PORT],
    ['localhost', LOCAL],
    ['localhost:9', LOCAL],
    ['[::1]:3000', IPV6],
    ['[0:0:0:0:0:0:0:1]', IPV6],
  ])('C9: is on the host %s: %s', (host, redirectUri) => {
    expect(selectRedirectUri(URIS, host)).toBe(redirectUri);
    expect(otherHost(redirectUri, host)).toBeNull();
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'other.app.example',
    'app.example.',
    'app.example.evil.example',
    'app.example@evil.example',
    'evil.example@acme.app.example:8443',
    'acme.app.example:8443/x',
    'acme.app.example:8443#x',
    'acme.app.example:8443\\x',
    'acme.app.example:8443, evil.example',
    'http://localhost:3000',
    '127.0.0.1:3000',
    '[::2]:3000',
  ])('C9: is the first on the host %j', (host) => {
    expect(selectRedirectUri(URIS, host)).toBe(HTTPS);
  });

  it('C9: is configured, whatever the host is', () => {
    const host = fc.oneof(fc.string(), fc.webAuthority(), fc.constantFrom(...URIS));
    fc.assert(
      fc.property(host, (text) => {
        expect(URIS).toContain(selectRedirectUri(URIS, text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is unreachable for the cookies of the host that is named, and of none that cannot be read', () => {
    expect(otherHost(LOCAL, '127.0.0.1:3000')).toBe('127.0.0.1:3000');
    expect(otherHost(HTTPS, 'APP.example.:443')).toBe('app.example.');
    expect(otherHost(HTTPS, '<script>')).toBeNull();
    expect(otherHost(HTTPS, undefined)).toBeNull();
  });

  it('C9: is taken by its very text where it is given, and the others are named', () => {
    expect(requireRedirectUri(URIS, LOCAL)).toBe(LOCAL);
    for (const given of ['https://APP.example/cb', 'https://evil.example/cb', '', null, [LOCAL]])
      expect(() => requireRedirectUri(URIS, given)).toThrow(
        `redirectUri of authorizeUrl is not configured: give one of redirectUris (NOTION_REDIRECT_URIS), byte for byte: ${URIS.join(', ')}`,
      );
  });
});
