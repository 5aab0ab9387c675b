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
  ['/v1/pages/a.b', '/v1/pages/a.b'],
  ['/v1/pages/a%20b', '/v1/pages/a%20b'],
  ['/v1/oauth2-clients', '/v1/oauth2-clients'],
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
  ['/v1/oauth/token', 'oauth_path'],
  ['/v1/OAuth/token', 'oauth_path'],
  ['/v1/oauth', 'oauth_path'],
  ['/v1//oauth/token', 'oauth_path'],
  ['/v1/%6fauth/token', 'oauth_path'],
  ['/v1/oauth;x/token', 'oauth_path'],
  [new URL('https://api.notion.com/v1/pages/../oauth/revoke'), 'oauth_path'],
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

  it('keeps to a loopback origin of a test as strictly', () => {
    expect(resolveTarget('http://127.0.0.1:4000/v1/users/me', 'http://127.0.0.1:4000')).toBe('/v1/users/me');
    expect(() => resolveTarget('http://127.0.0.1:4001/v1/users/me', 'http://127.0.0.1:4000')).toThrow();
    expect(() => resolveTarget('https://127.0.0.1:4000/v1/users/me', 'http://127.0.0.1:4000')).toThrow();
  });
});
