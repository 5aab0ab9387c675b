/**
 * What kind of endpoint a request met. `api` is everything else below `/v1`; `other` is what Notion does not
 * serve at all, such as a browser's question for an icon.
 */
export type EndpointKind = 'authorize' | 'token' | 'introspect' | 'revoke' | 'api' | 'other';

const OAUTH_PATHS: Readonly<Record<string, EndpointKind>> = {
  '/v1/oauth/authorize': 'authorize',
  '/v1/oauth/token': 'token',
  '/v1/oauth/introspect': 'introspect',
  '/v1/oauth/revoke': 'revoke',
};

export function endpointOf(path: string): EndpointKind {
  return OAUTH_PATHS[path] ?? (path.startsWith('/v1/') ? 'api' : 'other');
}

/** True for the endpoints that only clients with their own credentials may call. */
export function isForClients(endpoint: EndpointKind): endpoint is 'token' | 'introspect' | 'revoke' {
  return endpoint === 'token' || endpoint === 'introspect' || endpoint === 'revoke';
}
