import { clientProblem } from './client.check.js';
import type { CodeBook } from './code.book.js';
import type { GrantBook, IssuedPair } from './grant.book.js';
import { GrantRefusal } from './grant.refusal.js';
import type { RequestJournal } from './request.journal.js';
import { textField, type Endpoint, type RegisteredConnection, type SimulatedCall } from './simulated.call.js';
import type { ModeSwitch } from './simulator.modes.js';
import { jsonAnswer, oauthError, type Answer } from './wire.answers.js';
import type { NotionDirectory } from './notion.directory.js';

/** `POST /v1/oauth/token`, both grants. */
export class TokenEndpoint implements Endpoint {
  constructor(
    private readonly connection: RegisteredConnection,
    private readonly modes: ModeSwitch,
    private readonly codes: CodeBook,
    private readonly grants: GrantBook,
    private readonly journal: RequestJournal,
    private readonly directory: NotionDirectory,
  ) {}

  answer(call: SimulatedCall): Answer {
    const problem = clientProblem(call, this.connection, this.modes);
    if (problem !== null) return problem;
    try {
      return this.issue(call);
    } catch (refusal) {
      if (refusal instanceof GrantRefusal) return this.refuse(refusal.code, refusal.message);
      throw refusal;
    }
  }

  private issue(call: SimulatedCall): Answer {
    switch (textField(call, 'grant_type')) {
      case 'authorization_code':
        return this.exchange(call);
      case 'refresh_token':
        return this.refresh(call);
      case undefined:
        return this.refuse('invalid_request', 'grant_type is required.');
      default:
        return this.refuse('unsupported_grant_type', 'grant_type is not supported.');
    }
  }

  private exchange(call: SimulatedCall): Answer {
    const code = textField(call, 'code');
    if (code === undefined) return this.refuse('invalid_request', 'code is required.');
    const consent = this.codes.redeem(code, textField(call, 'redirect_uri'));
    const pair = this.grants.authorize(consent, call.entry.number);
    this.journal.assignBot(call.entry, pair.grant.botId);
    return this.tokens(call, pair);
  }

  private refresh(call: SimulatedCall): Answer {
    const refreshToken = textField(call, 'refresh_token');
    if (refreshToken === undefined) return this.refuse('invalid_request', 'refresh_token is required.');
    const pair = this.grants.refresh(refreshToken, call.entry.number, () => {
      this.journal.markReplay(call.entry);
    });
    return this.tokens(call, pair);
  }

  private tokens(call: SimulatedCall, pair: IssuedPair): Answer {
    if (pair.fresh) this.journal.markRotation(call.entry);
    return jsonAnswer(200, tokenBody(pair, this.directory, this.modes));
  }

  private refuse(code: string, message: string): Answer {
    return oauthError(this.modes.current.oauthErrorShape, 400, code, message);
  }
}

/** @see https://developers.notion.com/reference/create-a-token */
function tokenBody(pair: IssuedPair, directory: NotionDirectory, modes: ModeSwitch): Record<string, unknown> {
  const workspace = directory.workspace(pair.grant.workspaceId);
  const { announceExpirySeconds } = modes.current;
  return {
    access_token: pair.accessToken,
    token_type: 'bearer',
    ...(pair.refreshToken === undefined ? {} : { refresh_token: pair.refreshToken }),
    ...(announceExpirySeconds === null ? {} : { expires_in: announceExpirySeconds }),
    bot_id: pair.grant.botId,
    workspace_id: workspace.id,
    workspace_name: workspace.name,
    workspace_icon: workspace.icon,
    owner: directory.ownerBody(pair.grant.personId, modes.current.owner),
    duplicated_template_id: pair.grant.duplicatedTemplateId,
  };
}
