/** Why the token endpoint refuses, in the words of RFC 6749 section 5.2. */
export class GrantRefusal extends Error {
  constructor(
    readonly code: 'invalid_grant' | 'invalid_request',
    message: string,
  ) {
    super(message);
  }
}
