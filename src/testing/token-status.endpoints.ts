import { clientProblem } from './client.check.js';
import type { GrantBook } from './grant.book.js';
import { textField, type Endpoint, type RegisteredConnection, type SimulatedCall } from './simulated.call.js';
import type { ModeSwitch } from './simulator.modes.js';
import { jsonAnswer, oauthError, type Answer } from './wire.answers.js';

/** `POST /v1/oauth/introspect`. */
export class IntrospectEndpoint implements Endpoint {
  constructor(
    private readonly connection: RegisteredConnection,
    private readonly modes: ModeSwitch,
  ) {}

  answer(call: SimulatedCall): Answer {
    const { oauthErrorShape, introspectRefreshTokens, introspectDeadTokens } = this.modes.current;
    const problem = clientProblem(call, this.connection, this.modes);
    if (problem !== null) return problem;
    if (textField(call, 'token') === undefined) {
      return oauthError(oauthErrorShape, 400, 'invalid_request', 'token is required.');
    }
    if (call.token?.kind === 'refresh' && introspectRefreshTokens === 'error') {
      return oauthError(oauthErrorShape, 400, 'invalid_request', 'token must be an access token.');
    }
    if (call.token?.status === 'live') {
      const iat = Math.floor(call.token.issuedAtMs / 1_000);
      return jsonAnswer(200, { active: true, scope: 'read_content update_content insert_content', iat });
    }
    return introspectDeadTokens === 'error'
      ? oauthError(oauthErrorShape, 400, 'invalid_grant', 'Invalid token.')
      : jsonAnswer(200, { active: false });
  }
}

/** `POST /v1/oauth/revoke`. Answers 200 for dead and unknown tokens too (RFC 7009 section 2.2). */
export class RevokeEndpoint implements Endpoint {
  constructor(
    private readonly connection: RegisteredConnection,
    private readonly modes: ModeSwitch,
    private readonly grants: GrantBook,
  ) {}

  answer(call: SimulatedCall): Answer {
    const problem = clientProblem(call, this.connection, this.modes);
    if (problem !== null) return problem;
    const token = textField(call, 'token');
    if (token === undefined) {
      return oauthError(this.modes.current.oauthErrorShape, 400, 'invalid_request', 'token is required.');
    }
    this.grants.revokeToken(token, call.entry.number);
    return jsonAnswer(200, {});
  }
}
