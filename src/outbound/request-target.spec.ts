import { describe, expect, it } from '@jest/globals';
import type { RequestRefusal } from '../domain/errors.js';
import { resolveTarget } from './request-target.js';

const NOTION = 'https://api.notion.com';

const ACCEPTED: readonly (readonly [input: string | URL, sent: string])[] = [
  ['https://api.notion.com/v1/users/me', '/v1/users/me'],
  ['https://API.Notion.com/v1/users/me', '/v1/users/me'],
  ['https://api.notion.com:443/v1/users/me', '/v1/users/me'],
  ['/v1/users/me', '/v1/users/me'],
  ['v1/users/me', '/v1/users/me'],
  [new URL('https://api.notion.com/v1/users/me'), '/v1/users/me'],
  ['/v1/users?page_size=2&start_cursor=a%2Fb#part', '/v1/users?page_size=2&start_cursor=a%2Fb'],
  ['/v1/search?q=../oauth', '/v1/search?q=../oauth'],
  ['/v1/search?q=/../oauth/./x', '/v1/search?q=/../oauth/./x'],
  ['/v1/search#/../oauth', '/v1/search'],
  ['/v1/pages/a.b', '/v1/pages/a.b'],
  ['/v1/pages/a%20b', '/v1/pages/a%20b'],
  ['/v1/oauth2-clients', '/v1/oauth2-clients'],
  ['HTTPS://API.NOTION.COM/v1/users/me', '/v1/users/me'],
  [' https://api.notion.com/v1/users/me ', '/v1/users/me'],
  ['https:/v1/users/me', '/v1/users/me'],
  ['https:v1/users/me', '/v1/users/me'],
  ['https://api%2enotion.com/v1/users/me', '/v1/users/me'],
  ['https://api\u3002notion.com/v1/users/me', '/v1/users/me'],
  ['?page_size=1', '/?page_size=1'],
  ['/v1/search?next=https://evil.example/', '/v1/search?next=https://evil.example/'],
  ['/https://evil.example/', '/https://evil.example/'],
  ['https://api.notion.com//evil.example/v1', '//evil.example/v1'],
  // Ids of properties, as Notion's reference shows them.
  ['/v1/pages/1/properties/f%5C%5C%3Ap', '/v1/pages/1/properties/f%5C%5C%3Ap'],
  ['/v1/pages/1/properties/a%2Fb', '/v1/pages/1/properties/a%2Fb'],
  ['/v1/pages/1/properties/100%25', '/v1/pages/1/properties/100%25'],
  ['/v1/pages/1/properties/%25zz', '/v1/pages/1/properties/%25zz'],
  ['/v1/pages/...', '/v1/pages/...'],
  ['/v1/pages/.hidden', '/v1/pages/.hidden'],
  ['/v1/pages/a..b', '/v1/pages/a..b'],
  ['/oauth', '/oauth'],
  ['/v2/oauth', '/v2/oauth'],
  ['/v1/oauth_clients', '/v1/oauth_clients'],
];

const REFUSED: readonly (readonly [input: string | URL, refusal: RequestRefusal])[] = [
  ['https://evil.example/v1/users/me', 'foreign_origin'],
  ['//evil.example/v1/users/me', 'foreign_origin'],
  ['/\\evil.example/v1/users/me', 'foreign_origin'],
  ['/\t/evil.example/v1/users/me', 'foreign_origin'],
  ['https://api.notion.com.evil.example/v1/users/me', 'foreign_origin'],
  ['https://api.notion.com@evil.example/v1/users/me', 'foreign_origin'],
  ['https://user:pass@api.notion.com/v1/users/me', 'foreign_origin'],
  ['http://api.notion.com/v1/users/me', 'foreign_origin'],
  ['https://api.notion.com:8443/v1/users/me', 'foreign_origin'],
  ['https://api.notion.com./v1/users/me', 'foreign_origin'],
  ['blob:https://api.notion.com/v1/users/me', 'foreign_origin'],
  [new URL('blob:https://api.notion.com/v1/users/me'), 'foreign_origin'],
  ['data:application/json,{}', 'foreign_origin'],
  ['https://[', 'foreign_origin'],
  [new URL('https://evil.example/v1/users/me'), 'foreign_origin'],
  ['\\\\evil.example/v1/users/me', 'foreign_origin'],
  ['\\/evil.example/v1/users/me', 'foreign_origin'],
  ['///evil.example/v1/users/me', 'foreign_origin'],
  ['/\n/evil.example/v1/users/me', 'foreign_origin'],
  ['/\r\n/evil.example/v1/users/me', 'foreign_origin'],
  ['\t//evil.example/v1/users/me', 'foreign_origin'],
  [' //evil.example/v1/users/me', 'foreign_origin'],
  ['ht\ntps://evil.example/', 'foreign_origin'],
  ['https:\\\\evil.example/', 'foreign_origin'],
  ['https:///evil.example/', 'foreign_origin'],
  ['https:////evil.example/', 'foreign_origin'],
  ['https://evil.example#@api.notion.com/', 'foreign_origin'],
  ['https://evil.example?@api.notion.com/', 'foreign_origin'],
  ['https://evil.example\\@api.notion.com/', 'foreign_origin'],
  ['https://api.notion.com:443@evil.example/', 'foreign_origin'],
  ['https://api.notion.com%2f@evil.example/', 'foreign_origin'],
  ['https://api.notion.com\u2044@evil.example/', 'foreign_origin'],
  ['https://api.notion.com.:443/v1', 'foreign_origin'],
  ['https://api.notion.com:80/v1', 'foreign_origin'],
  ['https://api.notion.com:0443443/v1', 'foreign_origin'],
  ['https://api-notion.com/v1', 'foreign_origin'],
  ['https://xapi.notion.com/v1', 'foreign_origin'],
  ['https://notion.com/v1', 'foreign_origin'],
  ['https://www.api.notion.com/v1', 'foreign_origin'],
  ['https://api.notion.co/v1', 'foreign_origin'],
  ['https://api.nоtion.com/v1', 'foreign_origin'], // the first "o" is Cyrillic
  ['https://api%00.notion.com/v1', 'foreign_origin'],
  ['https://api.notion.com%00.evil.example/', 'foreign_origin'],
  ['https://api.notion.com%252eevil.example/', 'foreign_origin'],
  ['https://[::ffff:7f00:1]/v1', 'foreign_origin'],
  ['https://2130706433/v1', 'foreign_origin'],
  ['https://:pass@api.notion.com/v1', 'foreign_origin'],
  ['https://user@api.notion.com/v1', 'foreign_origin'],
  ['wss://api.notion.com/v1', 'foreign_origin'],
  ['ftp://api.notion.com/v1', 'foreign_origin'],
  ['file:///etc/passwd', 'foreign_origin'],
  ['javascript:alert(1)', 'foreign_origin'],
  ['about:blank', 'foreign_origin'],
  ['notion://api.notion.com/v1', 'foreign_origin'],
  ['view-source:https://api.notion.com/v1', 'foreign_origin'],
  ['filesystem:https://api.notion.com/v1', 'foreign_origin'],
  ['/v1/oauth/token', 'oauth_path'],
  ['/v1/OAuth/token', 'oauth_path'],
  ['/v1/oauth', 'oauth_path'],
  ['/v1//oauth/token', 'oauth_path'],
  ['/v1/%6fauth/token', 'oauth_path'],
  ['/v1/oauth;x/token', 'oauth_path'],
  [new URL('https://api.notion.com/v1/pages/../oauth/revoke'), 'oauth_path'],
  ['/v1/oauth?x=1', 'oauth_path'],
  ['/v1/oauth#x', 'oauth_path'],
  ['//api.notion.com/v1/oauth/token', 'oauth_path'],
  ['https://api.notion.com//v1/oauth/token', 'oauth_path'],
  ['https:v1/oauth/token', 'oauth_path'],
  ['/v1/oauth.json', 'oauth_path'],
  ['/v1/oauth%2Ftoken', 'oauth_path'],
  ['/v1/oauth%20/token', 'oauth_path'],
  ['/v1/oauth%3Fx/token', 'oauth_path'],
  ['/v1%2foauth%2ftoken', 'oauth_path'],
  ['/v1%5Coauth%5Ctoken', 'oauth_path'],
  ['/v1;x=1/oauth/token', 'oauth_path'],
  ['/%76%31/oauth/token', 'oauth_path'],
  ['/v1/%256fauth/token', 'oauth_path'],
  ['/v1/%25256fauth/token', 'oauth_path'],
  ['/v1/%25%36%66auth/token', 'oauth_path'],
  [new URL('https://api.notion.com/v1/%6fauth/token'), 'oauth_path'],
  ['/v1/pages/../users/me', 'path_traversal'],
  ['/v1/pages/./users/me', 'path_traversal'],
  ['/v1/pages/..', 'path_traversal'],
  ['/v1/pages/.. ', 'path_traversal'],
  ['/v1/pages/.\t./users/me', 'path_traversal'],
  ['/v1/pages\\..\\users', 'path_traversal'],
  ['/v1/pages/%2e%2e/users/me', 'path_traversal'],
  ['/v1/pages/%2E./users/me', 'path_traversal'],
  ['/v1/pages/%252e%252e/users/me', 'path_traversal'],
  ['/v1/pages/..%2fusers', 'path_traversal'],
  ['/v1/pages/%5c..%5cusers', 'path_traversal'],
  ['/v1/pages/%00', 'path_traversal'],
  ['/v1/pages/%zz', 'path_traversal'],
  ['../v1/users', 'path_traversal'],
  ['..', 'path_traversal'],
  ['.', 'path_traversal'],
  ['https:../v1/users', 'path_traversal'],
  ['https://api.notion.com/v1/pages/../oauth/token', 'path_traversal'],
  ['https://api.notion.com/..', 'path_traversal'],
  ['/v1/pages/../oauth/token', 'path_traversal'],
  ['/v1/pages/..?x', 'path_traversal'],
  ['/v1/pages/..#x', 'path_traversal'],
  ['/v1/pages/..;/oauth/token', 'path_traversal'],
  ['/v1/pages/..;x=1/oauth/token', 'path_traversal'],
  ['/v1/pages/..%3Bx/oauth/token', 'path_traversal'],
  ['/v1/pages/..%3F/oauth/token', 'path_traversal'],
  ['/v1/pages/..%23/oauth/token', 'path_traversal'],
  ['/v1/pages/..%5Coauth/token', 'path_traversal'],
  ['/v1/pages/..\\oauth/token', 'path_traversal'],
  ['/v1/pages/.%2e/users/me', 'path_traversal'],
  ['/v1/pages/%2e/users/me', 'path_traversal'],
  ['/v1/pages%2f..%2foauth', 'path_traversal'],
  ['/v1/pages%2F%2E%2E%2Foauth', 'path_traversal'],
  ['/v1/pages/%25252e%25252e/users/me', 'path_traversal'],
  ['/v1/pages/%25%32%65%25%32%65/users/me', 'path_traversal'],
  ['/v1/pages/%25zz/%252e%252e/users/me', 'path_traversal'],
  ['/v1/pages/%2525252525252e', 'path_traversal'],
  // Nothing but how often it is encoded is wrong with it.
  ['/v1/pages/%25252525252541', 'path_traversal'],
  ['/v1/pages/%c0%ae%c0%ae/users/me', 'path_traversal'],
  ['/v1/pages/%E0%A4%A', 'path_traversal'],
  ['/v1/pages/%', 'path_traversal'],
  ['/v1/pages/%0d%0ahost:%20evil', 'path_traversal'],
  ['/v1/pages/%250d%250ahost:%20evil', 'path_traversal'],
  ['/v1/pages/%09', 'path_traversal'],
  ['/v1/pages/%7f', 'path_traversal'],
  ['/v1/pages/%C2%85', 'path_traversal'],
  ['/v1/pages/\r\nhost: evil', 'path_traversal'],
  ['/v1/pages/a\u0000', 'path_traversal'],
  ['/v1/pages/\u0085', 'path_traversal'],
  ['\u0000/v1/pages', 'path_traversal'],
];

/** What a request's JSON body can be, where an application takes the address from there. */
const NO_ADDRESSES: readonly unknown[] = [
  undefined,
  null,
  0,
  42,
  true,
  [],
  ['https://api.notion.com/v1/users/me'],
  {},
  { url: 'https://api.notion.com/v1/users/me' },
  { href: 42 },
  { href: ['https://api.notion.com/v1/users/me'] },
  {
    protocol: 'https:',
    host: 'api.notion.com',
    username: '',
    password: '',
    pathname: '/v1/pages/../oauth/token',
    search: '',
  },
];

describe('resolveTarget', () => {
  it.each(ACCEPTED)('sends %s as a path of the API origin', (input, sent) => {
    expect(resolveTarget(input, NOTION)).toBe(sent);
  });

  it.each(REFUSED)('G1, G6: refuses %j (%s)', (input, refusal) => {
    expect(() => resolveTarget(input, NOTION)).toThrow(
      expect.objectContaining({ code: 'notion_request_refused', refusal }),
    );
  });

  it.each(NO_ADDRESSES)('G1: takes %j for no address', (input) => {
    expect(() => resolveTarget(input as string, NOTION)).toThrow(
      expect.objectContaining({ refusal: 'foreign_origin' }),
    );
  });

  it('G1, G6: believes nothing of an object that looks like a URL but its text, which is checked in full', () => {
    const guise = {
      ...urlParts(new URL(`${NOTION}/v1/users/me`)),
      href: `${NOTION}/v1/pages/../oauth/token`,
    };
    expect(() => resolveTarget(guise as URL, NOTION)).toThrow(
      expect.objectContaining({ refusal: 'path_traversal' }),
    );
    let reads = 0;
    const fickle = {
      get href() {
        reads += 1;
        return reads === 1 ? `${NOTION}/v1/users/me` : 'https://evil.example/';
      },
    };
    expect(resolveTarget(fickle as URL, NOTION)).toBe('/v1/users/me');
  });

  it('G1, J9: refuses what is longer than any server takes, unread', () => {
    const attempt = () => resolveTarget(`/v1/pages/${'%25'.repeat(2 ** 20)}`, NOTION);
    expect(attempt).toThrow(expect.objectContaining({ refusal: 'target_too_long' }));
    const longest = `/v1/${'p'.repeat(64 * 1024 - '/v1/'.length)}`;
    expect(resolveTarget(longest, NOTION)).toBe(longest);
    expect(() => resolveTarget(`${longest}p`, NOTION)).toThrow(
      expect.objectContaining({ refusal: 'target_too_long' }),
    );
  });

  it('G1: does not repeat the address in its refusal, whose query may be a secret', () => {
    for (const address of ['https://evil.example/?canary', '/v1/oauth/token?canary', '/../?canary']) {
      expect(() => resolveTarget(address, NOTION)).not.toThrow('canary');
    }
  });

  it('G1: keeps to a loopback origin of a test as strictly', () => {
    expect(resolveTarget('http://127.0.0.1:4000/v1/users/me', 'http://127.0.0.1:4000')).toBe('/v1/users/me');
    expect(() => resolveTarget('http://127.0.0.1:4001/v1/users/me', 'http://127.0.0.1:4000')).toThrow();
    expect(() => resolveTarget('https://127.0.0.1:4000/v1/users/me', 'http://127.0.0.1:4000')).toThrow();
  });
});

function urlParts({ protocol, host, username, password, pathname, search }: URL): object {
  return { protocol, host, username, password, pathname, search };
}
