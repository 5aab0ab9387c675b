import { randomUUID } from 'node:crypto';
import { UnusableAuthorizeRequest, type ConsentDesk } from './consent.desk.js';
import { consentPage, refusalPage } from './consent.page.js';
import type { NotionDirectory } from './notion.directory.js';
import type { Endpoint, RegisteredConnection, SimulatedCall } from './simulated.call.js';
import { redirectAnswer, type Answer } from './wire.answers.js';

/** Parameters of the authorize request that the form carries on to the decision. */
const CARRIED = ['client_id', 'redirect_uri', 'response_type', 'owner', 'state'] as const;

/** `GET /v1/oauth/authorize`: the consent page; the page posts the decision back to the same address. */
export class ConsentEndpoint implements Endpoint {
  constructor(
    private readonly connection: RegisteredConnection,
    private readonly desk: ConsentDesk,
    private readonly directory: NotionDirectory,
  ) {}

  answer(call: SimulatedCall): Answer {
    const query = new URLSearchParams(call.method === 'POST' ? call.body : call.search);
    try {
      this.desk.redirectUriOf(query);
      const complaint = this.desk.complaint(query);
      if (complaint !== null) return redirectAnswer(303, complaint);
      return call.method === 'POST' ? redirectAnswer(303, this.decide(query)) : this.ask(query);
    } catch (problem) {
      if (problem instanceof UnusableAuthorizeRequest)
        return page(400, (nonce) => refusalPage(problem.message, nonce));
      throw problem;
    }
  }

  private ask(query: URLSearchParams): Answer {
    const carried = CARRIED.flatMap((name) => {
      const value = query.get(name);
      return value === null ? [] : [{ name, value }];
    });
    return page(200, (nonce) =>
      consentPage({
        connectionName: this.connection.name,
        workspaces: this.directory.workspaces(),
        people: this.directory.people(),
        carried,
        nonce,
      }),
    );
  }

  private decide(form: URLSearchParams): string {
    if (form.get('decision') !== 'allow') return this.desk.deny(form);
    const choice = {
      workspace: form.get('workspace') ?? undefined,
      person: form.get('person') ?? undefined,
      pages: form.getAll('page'),
    };
    return this.desk.allow(form, this.desk.consentOf(choice));
  }
}

/** An answer that shows a page; only the style with the nonce is let through. */
export function page(status: number, render: (nonce: string) => string): Answer {
  const nonce = randomUUID();
  return {
    status,
    // No form-action: Chromium applies it to the redirect that follows the form, which leaves this origin.
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body: render(nonce),
  };
}
