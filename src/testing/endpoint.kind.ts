/** What kind of endpoint a request met; `api` is everything that is not OAuth. */
export type EndpointKind = 'authorize' | 'token' | 'introspect' | 'revoke' | 'api';
