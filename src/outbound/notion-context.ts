import type { Client } from '@notionhq/client';
import type { Authorization } from '../domain/authorization.js';
import type { AccessToken } from '../domain/secret.js';
import type { NotionTokenService } from '../refresh/notion-token.service.js';
import type { NotionClientFactory, NotionFetch } from './notion-client.factory.js';

/** The authorization that a request uses, and ways to call Notion with it. Prints as the authorization alone. */
export class NotionContext {
  readonly #clients: NotionClientFactory;
  readonly #tokens: NotionTokenService;
  #client: Client | undefined;
  #fetch: NotionFetch | undefined;

  constructor(
    /** As it was when the request came. */
    readonly authorization: Authorization,
    clients: NotionClientFactory,
    tokens: NotionTokenService,
  ) {
    this.#clients = clients;
    this.#tokens = tokens;
  }

  /** The official SDK, see {@link NotionClientFactory.forAuthorization}. */
  get client(): Client {
    return (this.#client ??= this.#clients.forAuthorization(this.authorization.id));
  }

  /** See {@link NotionClientFactory.fetchFor}. */
  get fetch(): NotionFetch {
    return (this.#fetch ??= this.#clients.fetchFor(this.authorization.id));
  }

  /** See {@link NotionTokenService.getAccessToken}; for clients that attach the token themselves. */
  getAccessToken(options?: { rejected?: AccessToken; signal?: AbortSignal }): Promise<AccessToken> {
    return this.#tokens.getAccessToken(this.authorization.id, options);
  }
}

/** A request that went through `NotionTokenInterceptor`. */
export interface NotionRequest {
  notion: NotionContext;
}
