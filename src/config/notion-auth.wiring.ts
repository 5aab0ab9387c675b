import type { Provider } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';

/**
 * Who a request acts for: the application's tenant or user, from its own session. `null`, `undefined` or an empty
 * string means nobody. Never read it from the query or the body.
 */
export type OwnerResolver = (
  request: never,
) => string | null | undefined | Promise<string | null | undefined>;

/** Which of the owner's authorizations a request uses. Must belong to the owner; it is checked. */
export type AuthorizationResolver = (
  request: never,
  ownerId: string,
) => AuthorizationId | null | undefined | Promise<AuthorizationId | null | undefined>;

/** What changes the shape of the module; the same for `forRoot` and `forRootAsync`. */
export interface NotionAuthWiring {
  /** Register the module globally. @defaultValue `true` */
  isGlobal?: boolean;
  /**
   * Name of the application's own TypeORM DataSource (PostgreSQL, MySQL, MariaDB; its `entities` must include
   * `notionAuthEntities`). Unset: a connection of the module's own, from `databaseUrl` or embedded SQLite.
   */
  dataSource?: string;
  /** Path prefix of the built-in `connect` and `callback` routes, or `false` for none. @defaultValue `'notion'` */
  routes?: string | false;
  /**
   * Whether this process receives Notion's callback. `false` for a worker with a health port or a second service: no
   * built-in routes and no startup check of the callback route; `redirectUris` stay those of the process that does.
   * @defaultValue `true`
   */
  servesCallback?: boolean;
  /**
   * Metadata of the built-in routes, as `@SetMetadata()` would set it: what a global guard of the application looks for
   * on public routes, as in `{ isPublic: true }`. @defaultValue none
   */
  routeMetadata?: Readonly<Record<string | symbol, unknown>>;
  /**
   * Replaces parts of the module by their port, as in `{ provide: PairJournal, useClass: MyJournal }`; the class that
   * is replaced can be extended.
   */
  providers?: readonly Provider[];
  /** Required by the built-in routes and by the interceptor. */
  resolveOwner?: OwnerResolver;
  /**
   * Default: the route parameter `authorizationId`, else the owner's only active authorization. With several active ones
   * the request fails with `NotionAmbiguousAuthorizationError`; with none, with `NotionReconnectRequiredError`.
   */
  resolveAuthorization?: AuthorizationResolver;
}

/** Injection token of the {@link NotionAuthWiring}. */
export const NOTION_AUTH_WIRING = Symbol('NOTION_AUTH_WIRING');
