import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { requestOf } from '../config/http-context.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from '../config/notion-auth.wiring.js';
import { OwnerGate } from '../config/owner.gate.js';
import type { Authorization, AuthorizationId } from '../domain/authorization.js';
import { AuthorizationStore } from '../domain/authorization-store.js';
import {
  NotionAmbiguousAuthorizationError,
  NotionAuthorizationNotFoundError,
  NotionReconnectRequiredError,
} from '../domain/errors.js';
import { NotionTokenService } from '../refresh/notion-token.service.js';
import { NotionClientFactory } from './notion-client.factory.js';
import { NotionContext, type NotionRequest } from './notion-context.js';
import { NotionScope } from './notion.scope.js';

/**
 * Finds the authorization a request uses, makes sure that it is its owner's, and gives the handler
 * `request.notion`, `@NotionAuthorization()`, `@NotionSdk()` and {@link NotionScope}. No token is read before the
 * handler calls Notion.
 *
 * Which authorization: `resolveAuthorization` of the module's options; by default the route parameter
 * `authorizationId`, else the owner's only active authorization. Without an active one it is the one that stopped
 * working last.
 * @throws {@link NotionConfigError} on a handler of anything but HTTP requests.
 * @throws {@link NotionOwnerRequiredError} when the request names no owner.
 * @throws {@link NotionAuthorizationNotFoundError} for an unknown id and for another owner's alike.
 * @throws {@link NotionAmbiguousAuthorizationError} when the owner has several active ones and none is named.
 * @throws {@link NotionReconnectRequiredError} when only the person can help.
 */
@Injectable()
export class NotionTokenInterceptor implements NestInterceptor {
  constructor(
    @Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring,
    private readonly owners: OwnerGate,
    private readonly store: AuthorizationStore,
    private readonly clients: NotionClientFactory,
    private readonly tokens: NotionTokenService,
    private readonly scope: NotionScope,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = requestOf(context, 'NotionTokenInterceptor') as NotionRequest;
    const authorization = await this.authorizationOf(request);
    assertUsable(authorization);
    const notion = new NotionContext(authorization, this.clients, this.tokens);
    request.notion = notion;
    // Subscribed inside the scope: the handler runs on subscription, not when handle() returns.
    return new Observable((out) => this.scope.run(notion, () => next.handle().subscribe(out)));
  }

  private async authorizationOf(request: unknown): Promise<Authorization> {
    const ownerId = await this.owners.ownerOf(request);
    const resolve = this.wiring.resolveAuthorization ?? this.byDefault;
    const id: unknown = await resolve(request as never, ownerId);
    // A list or an object, as query parsers make them, must never reach a database query.
    const isNamed = typeof id === 'string' && id !== '';
    const authorization = isNamed ? await this.store.findForOwner(id, ownerId) : null;
    if (authorization === null) throw new NotionAuthorizationNotFoundError();
    return authorization;
  }

  private readonly byDefault = async (
    request: { params?: { authorizationId?: AuthorizationId } },
    ownerId: string,
  ): Promise<AuthorizationId | null> => {
    const named = request.params?.authorizationId;
    if (named !== undefined) return named;
    return defaultOf(await this.store.listForOwner(ownerId));
  };
}

/** One that must be reconnected never stands in the way of one that works. */
function defaultOf(authorizations: readonly Authorization[]): AuthorizationId | null {
  const active = authorizations.filter(({ status }) => status === 'active');
  // A guess would work in the wrong workspace.
  if (active.length > 1) throw new NotionAmbiguousAuthorizationError(active.map(({ id }) => id));
  if (active.length === 1) return active[0]!.id;
  const inactive = authorizations
    .filter(({ status }) => status === 'needs_reconnect')
    .sort((one, other) => other.statusSince.getTime() - one.statusSince.getTime());
  return (inactive.find(mayStillServe) ?? inactive[0])?.id ?? null;
}

/** After a lost rotation the old token serves until Notion rejects it once. */
function mayStillServe({ reason }: Authorization): boolean {
  return reason === 'lost_rotation';
}

function assertUsable(authorization: Authorization): void {
  const { id, status, reason } = authorization;
  if (status === 'revoked') throw new NotionReconnectRequiredError(id, 'disconnected');
  if (status === 'active' || mayStillServe(authorization)) return;
  throw new NotionReconnectRequiredError(id, reason ?? 'revoked_or_expired');
}
