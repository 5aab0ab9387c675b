import type { CodeBook } from './code.book.js';
import type { Consent } from './grant.book.js';
import type { NotionDirectory } from './notion.directory.js';
import type { RegisteredConnection } from './simulated.call.js';

/** What a person may choose on the consent page; ids or names. */
export interface ConsentChoice {
  /** @defaultValue the first workspace */
  readonly workspace?: string;
  /** @defaultValue the first person */
  readonly person?: string;
  /** Pages to share, by id or title. @defaultValue all pages of the workspace */
  readonly pages?: readonly string[];
}

/** Why Notion shows a page of its own and never calls back. */
export class UnusableAuthorizeRequest extends Error {}

/** Checks authorize requests and turns decisions into redirects. */
export class ConsentDesk {
  constructor(
    private readonly connection: RegisteredConnection,
    private readonly codes: CodeBook,
    private readonly directory: NotionDirectory,
  ) {}

  /**
   * The redirect URI to answer to, byte for byte as sent.
   * @throws {@link UnusableAuthorizeRequest}
   */
  redirectUriOf(query: URLSearchParams): string {
    if (query.get('client_id') !== this.connection.clientId) {
      throw new UnusableAuthorizeRequest('Missing or invalid client_id');
    }
    const [redirectUri, ...others] = query.getAll('redirect_uri');
    if (redirectUri === undefined || others.length > 0 || !this.isRegistered(redirectUri)) {
      throw new UnusableAuthorizeRequest('Missing or invalid redirect_uri');
    }
    return redirectUri;
  }

  /** The redirect that reports a malformed request (RFC 6749 section 4.1.2.1); `null` when it is well formed. */
  complaint(query: URLSearchParams): string | null {
    if (query.get('response_type') !== 'code') return this.failure(query, 'unsupported_response_type');
    if (query.get('owner') !== 'user') return this.failure(query, 'invalid_request');
    return null;
  }

  /** The callback URL after *Allow*. */
  allow(query: URLSearchParams, consent: Consent): string {
    const redirectUri = this.redirectUriOf(query);
    const code = this.codes.issue(consent, redirectUri);
    const state = query.get('state');
    return withParameters(redirectUri, state === null ? { code } : { code, state });
  }

  /** The callback URL after *Cancel*; `state` is present even when it is empty. */
  deny(query: URLSearchParams): string {
    return this.failure(query, 'access_denied');
  }

  consentOf({ workspace, person, pages }: ConsentChoice): Consent {
    const chosen = this.directory.workspace(workspace);
    const wanted = pages === undefined ? null : new Set(pages);
    const shared = chosen.pages.filter(
      ({ id, title }) => wanted === null || wanted.has(id) || wanted.has(title),
    );
    return {
      workspaceId: chosen.id,
      personId: this.directory.person(person).id,
      pageIds: shared.map((page) => page.id),
    };
  }

  private isRegistered(redirectUri: string): boolean {
    const { redirectUris } = this.connection;
    return redirectUris === null ? isUrl(redirectUri) : redirectUris.includes(redirectUri);
  }

  private failure(query: URLSearchParams, error: string): string {
    return withParameters(this.redirectUriOf(query), { error, state: query.get('state') ?? '' });
  }
}

/** Appends without parsing, so that the registered part keeps its bytes. */
function withParameters(uri: string, parameters: Readonly<Record<string, string>>): string {
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(parameters).toString()}`;
}

/** Not `URL.canParse`: that of Node 20 refuses texts with Latin-1 letters once it has been compiled. */
function isUrl(text: string): boolean {
  try {
    return new URL(text).href !== '';
  } catch {
    return false;
  }
}
