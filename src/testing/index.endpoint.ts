import { page } from './consent.endpoint.js';
import { indexPage, type ListedGrant } from './index.page.js';
import type { Endpoint, RegisteredConnection, SimulatedCall } from './simulated.call.js';
import { redirectAnswer, type Answer } from './wire.answers.js';

const DEFAULT_REDIRECT_URI = 'http://localhost:3000/notion/callback';

/** The simulator, as its index page sees it. */
interface IndexedSimulator {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  listGrants(): readonly ListedGrant[];
  expireAccessToken(botId: string): void;
  expireAllAccessTokens(): void;
  revokeGrant(botId: string): void;
}

/** What an application needs to talk to the simulator. They open nothing but the simulator. */
export function environmentFor(
  { url, clientId, clientSecret }: Pick<IndexedSimulator, 'url' | 'clientId' | 'clientSecret'>,
  redirectUris: readonly string[] | null,
): string[] {
  return [
    `NOTION_API_BASE_URL=${url}`,
    `NOTION_CLIENT_ID=${clientId}`,
    `NOTION_CLIENT_SECRET=${clientSecret}`,
    `NOTION_REDIRECT_URIS=${(redirectUris ?? [DEFAULT_REDIRECT_URI]).join(',')}`,
  ];
}

/** `GET /`: the grants. `POST /` with `action=expire` or `action=revoke`, and `bot_id`: what can happen to one at Notion. */
export class IndexEndpoint implements Endpoint {
  constructor(
    private readonly simulator: IndexedSimulator,
    private readonly connection: RegisteredConnection,
  ) {}

  answer(call: SimulatedCall): Answer {
    if (call.method === 'GET') return this.show();
    if (call.method !== 'POST') return text(405, 'Use GET or POST.');
    // A page of another site may send a form here, too.
    const site = call.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin')
      return text(403, 'Send this from the simulator itself.');
    const problem = this.change(new URLSearchParams(call.body));
    return problem === null ? redirectAnswer(303, '/') : text(400, problem);
  }

  private show(): Answer {
    const { simulator, connection } = this;
    const { redirectUris } = connection;
    return page(200, (nonce) =>
      indexPage({
        connectionName: connection.name,
        variables: environmentFor(simulator, redirectUris),
        connectUrl: (redirectUris?.[0] ?? DEFAULT_REDIRECT_URI).replace(/\/callback(?=[/?]|$)/, '/connect'),
        grants: simulator.listGrants(),
        nonce,
      }),
    );
  }

  /** @returns what is wrong with the form, or `null` when it was done. */
  private change(form: URLSearchParams): string | null {
    const botId = form.get('bot_id');
    const action = form.get('action');
    if (botId !== null && !this.simulator.listGrants().some((grant) => grant.botId === botId))
      return `There is no grant with bot_id ${botId}. GET / lists them.`;
    if (action === 'expire' && botId === null) this.simulator.expireAllAccessTokens();
    else if (action === 'expire') this.simulator.expireAccessToken(botId!);
    else if (action === 'revoke' && botId !== null) this.simulator.revokeGrant(botId);
    else if (action === 'revoke') return 'Revoking needs the bot_id of a grant. GET / lists them.';
    else return 'Set action to expire or revoke.';
    return null;
  }
}

function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${body}\n` };
}
