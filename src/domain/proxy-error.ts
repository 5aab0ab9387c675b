export type ProxyFailureCode = 'proxy_unreachable' | 'proxy_authentication_required' | 'proxy_rejected';

/** The outgoing proxy opened no tunnel, so nothing was sent. Names the proxy by host and port, never by its credentials. */
export class ProxyError extends Error {
  readonly code: ProxyFailureCode;
  /** Host and port. */
  readonly proxy: string;
  /** HTTP status of the proxy, or the code of the socket. */
  readonly reason: string;

  constructor(
    message: string,
    facts: { readonly code: ProxyFailureCode; readonly proxy: string; readonly reason: string },
  ) {
    super(message);
    this.name = 'ProxyError';
    this.code = facts.code;
    this.proxy = facts.proxy;
    this.reason = facts.reason;
  }
}
