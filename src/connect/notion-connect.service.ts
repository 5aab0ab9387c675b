import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { requireOwner } from '../config/owner.gate.js';
import { otherHost, requireRedirectUri, selectRedirectUri } from '../config/redirect-uri.selection.js';
import type { Authorization, AuthorizationId } from '../domain/authorization.js';
import { AuthorizationStore } from '../domain/authorization-store.js';
import { NotionAuthorizationNotFoundError } from '../domain/errors.js';
import { NotionOAuth } from '../domain/notion-oauth.js';
import { NotionTokenService } from '../refresh/notion-token.service.js';
import { PairCustody } from '../refresh/pair.custody.js';
import { RevocationSender, type RevocationOutcome } from '../refresh/revocation.sender.js';
import { RollForward } from '../refresh/roll-forward.js';
import { BrowserBinding } from './browser-binding.js';
import { CodeExchange, type CompletedConnect } from './code-exchange.js';
import { ConnectLog } from './connect-log.js';
import { hashConnectSecret, newConnectSecret } from './connect-secret.js';
import { PendingConnects } from './pending.connects.js';
import { safeReturnTo } from './return-to.js';
import { storeCall } from '../refresh/store-call.js';
import type { VerifiedCallback } from './verified-callback.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ConnectStart {
  readonly ownerId: string;
  /**
   * Path on the application's own origin, or URL on one of `connect.allowedReturnOrigins`; anything else becomes the
   * configured default.
   */
  readonly returnTo?: string | undefined;
  /** The authorization that must come back, under the same id. */
  readonly reconnect?: AuthorizationId | null | undefined;
  /** The request's `Cookie` header, so that several tabs of one browser can connect at once. */
  readonly cookies?: string | undefined;
  /**
   * The host that the user has opened, with its port: `request.host` of Express 5 and of Fastify, which follow the
   * application's `trust proxy` setting. Selects the redirect URI on the same host, where the browser keeps its cookie.
   */
  readonly host?: string | undefined;
  /** One of the option `redirectUris`, byte for byte. @defaultValue the one on `host`, else the first */
  readonly redirectUri?: string | undefined;
}

/** What to answer the browser with: a 303 to `url`, and `setCookie`, without which its callback is refused. */
export interface ConnectDeparture {
  readonly url: string;
  /** Value of a `Set-Cookie` header. */
  readonly setCookie: string;
}

/**
 * - `revoked`: secrets erased here, and Notion confirmed that the tokens are dead.
 * - `revoke_pending`: secrets erased here; Notion has not confirmed yet. It is asked again in the background, within the
 *   limits of the `revocation` options.
 * - `local_only`: secrets erased here, and there is nothing to revoke them with (no token, or none that a key opens).
 *   The person can remove the connection in Notion.
 * - `unlinked`: other owners use the same grant, so it lives on.
 */
export type DisconnectOutcome = RevocationOutcome | 'unlinked';

/** Connecting and disconnecting. The built-in routes use it; so can the application's own. */
@Injectable()
export class NotionConnectService {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly notion: NotionOAuth,
    private readonly authorizations: AuthorizationStore,
    private readonly pending: PendingConnects,
    private readonly tokens: NotionTokenService,
    private readonly custody: PairCustody,
    private readonly rollForward: RollForward,
    private readonly revocations: RevocationSender,
    private readonly browsers: BrowserBinding,
    private readonly codes: CodeExchange,
    private readonly log: ConnectLog,
  ) {}

  /**
   * Starts a connect and says how to send the browser to Notion.
   * @throws {@link NotionAuthorizationNotFoundError} when `reconnect` is not one of the owner's.
   * @throws {@link NotionConfigError} when `redirectUri` is not one of `redirectUris`, which it names.
   * @throws {@link NotionStoreUnavailableError} when the connect could not be kept.
   * @throws {@link NotionOwnerInvalidError} when `ownerId` is not a string.
   */
  authorizeUrl(start: ConnectStart): Promise<ConnectDeparture> {
    return this.log.watch(async () => {
      const ownerId = requireOwner(start.ownerId);
      if (start.reconnect != null) await this.requireOwned(start.reconnect, ownerId);
      const { clientId, redirectUris, connect } = this.config;
      const redirectUri =
        start.redirectUri === undefined
          ? selectRedirectUri(redirectUris, start.host)
          : requireRedirectUri(redirectUris, start.redirectUri);
      const state = newConnectSecret();
      const { browserHash, setCookie } = this.browsers.bind(start.cookies, redirectUri);
      const keys = { stateHash: hashConnectSecret(state), browserHash };
      const returnTo = safeReturnTo(start.returnTo, connect.defaultReturnTo, connect.allowedReturnOrigins);
      const reconnect = start.reconnect ?? null;
      await this.pending.begin(keys, { ownerId, clientId, redirectUri, returnTo, reconnect });
      this.log.started(start.reconnect);
      const host = otherHost(redirectUri, start.host);
      if (host !== null) this.log.openedOnOtherHost(host, redirectUri);
      return { url: this.notion.authorizeUrl({ state, redirectUri }), setCookie };
    });
  }

  /**
   * Exchanges the code of a callback that `NotionCallbackGuard` let through, and keeps the grant.
   * @throws {@link NotionConnectFailedError} when Notion refused the code or its answer cannot be believed.
   * @throws {@link NotionOtherGrantError} when a reconnect came back as another workspace or person.
   * @throws {@link NotionAuthorizationNotFoundError} when the owner disconnected it before it was stored.
   * @throws {@link NotionStoreUnavailableError} when it is not stored within `refresh.callerWaitMs`; with `connecting`
   * set, storing goes on in the background and the authorization appears by itself.
   */
  complete(callback: VerifiedCallback): Promise<CompletedConnect> {
    return this.log.watchCallback(() => this.codes.exchange(callback), callback.pending.reconnect);
  }

  /**
   * The address for a message to the person whom an authorization needs: there they sign in to the application as
   * usual, and connect the same grant again under the same id. It holds no secret, and is of no use to anybody but an
   * owner of the authorization.
   * @param options.startUrl - Where the application starts connects, as the browser sees it: an address, or a path on the
   * host of the first redirect URI. @defaultValue the built-in route beside the first redirect URI
   * @param options.returnTo - Where the connect ends, as in {@link ConnectStart}.
   */
  reconnectLink(
    id: AuthorizationId,
    { startUrl, returnTo }: { readonly startUrl?: string; readonly returnTo?: string } = {},
  ): string {
    const [redirectUri] = this.config.redirectUris;
    const url = startUrl === undefined ? besideCallback(redirectUri) : new URL(startUrl, redirectUri);
    url.search = '';
    url.searchParams.set('reconnect', requireUuid(id));
    if (returnTo !== undefined) url.searchParams.set('returnTo', returnTo);
    return url.href;
  }

  /** The owner's authorizations, oldest first. */
  async list(ownerId: string): Promise<readonly Authorization[]> {
    return storeCall(this.authorizations.listForOwner(requireOwner(ownerId)));
  }

  /**
   * Ends the owner's use of an authorization: here first, then at Notion, unless somebody else still uses it. Waits
   * `revocation.waitMs` for Notion at most.
   * @throws {@link NotionAuthorizationNotFoundError} alike for an unknown id and for somebody else's.
   */
  disconnect(id: AuthorizationId, ownerId: string): Promise<DisconnectOutcome> {
    return this.log.watch(async () => {
      // After a failover that nobody has noticed yet, the version could be one that was given out before.
      await storeCall(this.rollForward.currentTimeline());
      const result = await storeCall(this.authorizations.disconnect(requireUuid(id), requireOwner(ownerId)));
      if (result.kind === 'not_found') throw new NotionAuthorizationNotFoundError();
      this.tokens.forget(id);
      if (result.kind === 'disconnected') {
        this.custody.retainUserChange({ kind: 'disconnect', authorizationId: id, version: result.version });
      }
      const outcome =
        result.kind === 'unlinked' ? result.kind : await this.revocations.send(result.revocations);
      this.log.disconnected(outcome, id);
      return outcome;
    });
  }

  private async requireOwned(id: AuthorizationId, ownerId: string): Promise<void> {
    const authorization = await storeCall(this.authorizations.findForOwner(requireUuid(id), ownerId));
    if (authorization === null) throw new NotionAuthorizationNotFoundError();
  }
}

/** The built-in connect route is next to the callback, for any redirect URI. */
function besideCallback(redirectUri: string): URL {
  const url = new URL(redirectUri);
  url.pathname = url.pathname.replace(/[^/]*\/?$/, 'connect');
  return url;
}

/** Ids come from routes and forms: an array or an operator object must not reach a query. */
function requireUuid(id: unknown): AuthorizationId {
  if (typeof id !== 'string' || !UUID.test(id)) throw new NotionAuthorizationNotFoundError();
  return id;
}
