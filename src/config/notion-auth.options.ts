import type { EncryptionKeyOption, KeyProvider } from '../domain/key-provider.js';
import type { Secret } from '../domain/secret.js';

/**
 * Answers the client secret that is valid now, from wherever it is kept. Asked when the module starts, and again when
 * Notion refuses the client. A rejection, or no answer within 5 s, counts as no news.
 */
export type ClientSecretSource = () => string | Secret | Promise<string | Secret>;

/** What is wrong with one option. The rule never quotes the value. */
export interface OptionProblem {
  readonly option: string;
  readonly rule: string;
}

/**
 * The values the module works with, as an application writes them. What changes the shape of the module
 * (storage, routes, resolvers) is in `NotionAuthWiring`.
 */
export interface NotionAuthOptions {
  /** Client id of the Notion connection. Environment: `NOTION_CLIENT_ID`. */
  clientId: string;
  /**
   * The secret, or a function that answers it: then a rotated secret is taken up without a restart.
   * Environment: `NOTION_CLIENT_SECRET`.
   */
  clientSecret: string | Secret | ClientSecretSource;
  /** The coming client secret, tried once when Notion refuses the first. Environment: `NOTION_CLIENT_SECRET_NEXT`. */
  clientSecretNext?: string | Secret;
  /**
   * Callback URLs exactly as registered with Notion; sent byte for byte. The request's host chooses among them, and the
   * first serves every other host. HTTPS, or HTTP on loopback outside production. Environment: `NOTION_REDIRECT_URIS`,
   * comma separated.
   */
  redirectUris: readonly string[];
  /**
   * Path prefix of the redirect URIs that a proxy or gateway removes before a request reaches the application, such as
   * `/api`; a list where redirect URIs have different ones (`/` for none). Slashes at both ends do not matter. The startup
   * check expects the callback of each redirect URI at its prefix plus the mounted path. Environment:
   * `NOTION_AUTH_PUBLIC_BASE_PATH`, comma separated.
   * @defaultValue none: redirect URIs have the paths that the application mounts
   */
  publicBasePath?: string | readonly string[];
  /**
   * The first seals, all open. Required in production, and with a database that other processes share. Without keys and
   * with embedded SQLite a development key is made on the first start and kept beside the database, in
   * `<databaseFile>.key` (mode 0600); with `:memory:` the key ends with the process. Environment: `NOTION_AUTH_ENCRYPTION_KEYS` (`id:base64,…`).
   */
  encryptionKeys?: readonly EncryptionKeyOption[] | KeyProvider;
  /**
   * Start although stored secrets need a key that is not configured. Those authorizations answer `NotionKeyError`
   * until the key is back; nothing of theirs is overwritten. @defaultValue `false`
   */
  allowMissingKeys?: boolean;
  /**
   * Origin of Notion's API, without a path. HTTPS; outside production also HTTP on loopback. Environment:
   * `NOTION_API_BASE_URL`.
   * @defaultValue `https://api.notion.com`
   */
  apiBaseUrl?: string;
  /**
   * The `iss` of Notion's callbacks (RFC 9207), compared as it is written; a callback that names another one is
   * rejected, and one that names none is not. Environment: `NOTION_ISSUER`.
   * @defaultValue `apiBaseUrl`
   */
  issuer?: string;
  /**
   * `Notion-Version` header of the OAuth calls. Environment: `NOTION_VERSION`.
   * @defaultValue `2026-03-11`
   */
  notionVersion?: string;
  /**
   * Whether the stricter rules of production hold.
   * @defaultValue `process.env.NODE_ENV === 'production'`
   */
  production?: boolean;
  /**
   * Accept plain HTTP in `redirectUris`, and in production loopback in `redirectUris` and `apiBaseUrl`; each is a warning
   * then. `apiBaseUrl` outside loopback is HTTPS in any case. @defaultValue `false`
   */
  allowInsecureUrls?: boolean;
  /**
   * URL of a PostgreSQL (or MySQL, MariaDB) database of the module's own pool; unset: embedded SQLite.
   * Environment: `NOTION_AUTH_DATABASE_URL`.
   */
  databaseUrl?: string | Secret;
  /**
   * TLS of the connection to `databaseUrl`; its parameters `sslmode`, `sslrootcert`, `sslcert` and `sslkey` say the
   * same. With TLS on there is no fallback to clear text. Environment: `NOTION_AUTH_DATABASE_CA` (the field `ca`).
   * @defaultValue what `databaseUrl` says, else off
   */
  databaseTls?: boolean | DatabaseTlsOptions;
  /**
   * File of the embedded SQLite database. Environment: `NOTION_AUTH_DATABASE_PATH`.
   * @defaultValue `./data/notion-auth.sqlite`
   */
  databaseFile?: string;
  /**
   * Run pending migrations when the module starts. Environment: `NOTION_AUTH_RUN_MIGRATIONS` (`true` or `false`).
   * @defaultValue `true` for embedded SQLite, else `false`
   */
  runMigrations?: boolean;
  refresh?: RefreshOptions;
  connect?: ConnectOptions;
  outbound?: OutboundOptions;
  revocation?: RevocationOptions;
  /** Notion's webhooks. */
  webhooks?: WebhookOptions;
  /** What `@OnNotionAuth()` hears of. */
  events?: EventOptions;
  /** Times of the health indicator. */
  health?: HealthOptions;
  /** Met while these options were gathered, by `notionAuthConfig`; reported together with every other problem. */
  problems?: readonly OptionProblem[];
}

/** As in Node's `tls.connect()`; each text is PEM. */
export interface DatabaseTlsOptions {
  /** Certificate authorities to trust in place of those that Node.js knows. */
  ca?: string;
  /** Certificate of this client, with its `key`, where the server asks for one. */
  cert?: string;
  key?: string | Secret;
  /** Verify the server's certificate and its name. @defaultValue `true`, or by `sslmode` of the URL */
  rejectUnauthorized?: boolean;
  /** Name to expect in the server's certificate. PostgreSQL only. @defaultValue the host of `databaseUrl` */
  servername?: string;
}

/** Times of the refresh protocol, in milliseconds; their arithmetic is checked at startup. */
export interface RefreshOptions {
  /** How long a caller waits for a refresh before `NotionRefreshBusyError`. @defaultValue `10_000` */
  callerWaitMs?: number;
  /** How long Notion may take for a token answer; it gives up by itself after 60 s. @defaultValue `75_000` */
  requestTimeoutMs?: number;
  /** How long a claim keeps other processes from sending. @defaultValue `120_000` */
  leaseMs?: number;
  /** Margin between the end of a request and the end of its claim. @defaultValue `10_000` */
  leaseMarginMs?: number;
  /** Wait before an attempt of unknown outcome may be replayed. @defaultValue `600_000` */
  quarantineMs?: number;
  /** How long a crashed process may take to come back with the answer it holds. @defaultValue `150_000` */
  restartGraceMs?: number;
  /**
   * Refresh tokens older than this before they are used. Notion announces no expiry, so this is off unless set.
   * @defaultValue `null`
   */
  maxTokenAgeMs?: number | null;
  /** Longest `Retry-After` that is honoured. @defaultValue `900_000` */
  maxRetryAfterMs?: number;
  /**
   * What becomes of an unknown outcome that introspection cannot clear up, when its quarantine is over: the refresh
   * token is presented once more, or never.
   * @defaultValue `'once'`
   */
  replay?: 'once' | 'never';
  /**
   * Folder of the local journal, which must survive a restart of the container. It keeps a pair from the moment it
   * is answered, so that a process killed before its commit loses nothing. In production the application does not
   * start when the folder cannot be written to. Environment: `NOTION_AUTH_JOURNAL_DIR`.
   * @defaultValue `null` (off)
   */
  journalFolder?: string | null;
  /** Most bytes of journal files in the folder, those of other processes included. @defaultValue `67_108_864` */
  journalMaxBytes?: number;
  /**
   * How long a stored pair is kept in memory (and in the journal) to roll forward a database that lost its last
   * commits in a failover. @defaultValue `900_000`
   */
  retainMs?: number;
  /**
   * After a failover of the database no refresh begins for this long, so that whoever holds a newer pair, or comes
   * back with one in its journal, can put it back first. Access tokens go on being used meanwhile. Should not be less
   * than `leaseMs` and `restartGraceMs`. @defaultValue `150_000`
   */
  failoverHoldMs?: number;
  /** Longest wait for answers under way when the application shuts down. @defaultValue `75_000` */
  drainMs?: number;
  /**
   * Opens the mass-revocation breaker: so many of the last twice as many distinct tenants were rejected with
   * `invalid_grant` within ten minutes. Two authorizations belong to one tenant where they share a workspace or an owner.
   * No refresh begins for 30 s; then one every 5 s probes, each by a tenant that was not rejected, until one succeeds.
   * @defaultValue `5`
   */
  massDeadMinimum?: number;
  /**
   * Refreshes of this process under way at once, over all authorizations. A request that takes longer than 5 s no longer
   * counts. @defaultValue `8`
   */
  maxConcurrent?: number;
  /**
   * Refreshes of this process that wait for their turn, each for another authorization; beyond it callers are told
   * `busy` at once. Whoever joins a refresh that is under way or waits takes no place. @defaultValue `1_000`
   */
  maxQueued?: number;
  /** Stored pairs kept for `retainMs`; beyond it the longest kept are let go first. @defaultValue `100_000` */
  maxRetained?: number;
}

export interface ConnectOptions {
  /** How long a person may take between leaving for Notion and coming back, in ms. @defaultValue `600_000` */
  stateLifetimeMs?: number;
  /** Pending connects kept per owner; the oldest is dropped beyond. @defaultValue `20` */
  maxPendingPerOwner?: number;
  /**
   * Connects and callbacks of this process that wait for the database at once; further ones are answered 503.
   * @defaultValue `10_000`
   */
  maxWaiting?: number;
  /**
   * Codes that this process exchanges at once; further callbacks are answered 503 and may come again.
   * @defaultValue `100`
   */
  maxExchanges?: number;
  /**
   * Where a connect ends unless `returnTo` says otherwise: a path on the application's own origin, or a URL on one of
   * `allowedReturnOrigins`. @defaultValue `/`
   */
  defaultReturnTo?: string;
  /**
   * Origins of front ends that `returnTo` may lead to as an absolute URL, such as `https://app.example`. Compared as a
   * whole, without wildcards; HTTPS in production unless `allowInsecureUrls`. After a cancellation the URL
   * carries `notion=denied`; an error page links back with `notion=failed`. Environment: `NOTION_AUTH_RETURN_ORIGINS`,
   * comma separated. @defaultValue none
   * @see RFC 9700 section 4.11.1
   */
  allowedReturnOrigins?: readonly string[];
  /**
   * The callback acts for the owner that its state names, and `resolveOwner` is not asked: for front ends that send a
   * bearer token and have no session cookie. The state is single-use, has 256 random bits, and works only in the browser
   * that started the connect. What is no longer noticed: another user who signed in to the same browser meanwhile.
   * @defaultValue `false`
   */
  ownerFromState?: boolean;
  /** How long Notion may take to exchange the code, in ms. @defaultValue `75_000` */
  exchangeTimeoutMs?: number;
}

/** What `outbound.proxy` needs of a `Dispatcher` of undici 7 or newer. */
export interface ProxyDispatcher {
  dispatch(options: never, handler: never): boolean;
  request(options: never): Promise<unknown>;
}

export interface OutboundOptions {
  /**
   * How requests to `apiBaseUrl` leave this machine, OAuth requests included: the URL of an HTTP or HTTPS proxy
   * (`http://user:password@host:port`), `'environment'` for what `HTTPS_PROXY` (`HTTP_PROXY` for an `http` origin) and
   * `NO_PROXY` say when the module starts, or a `Dispatcher` of undici. A proxy is asked for a tunnel (`CONNECT`), and
   * TLS goes through it to the origin. A dispatcher sees tokens and decides about its own sockets and time to connect.
   * `null`: directly, without a warning when a variable names a proxy. Environment: `NOTION_AUTH_PROXY`.
   * @defaultValue `null`
   */
  proxy?: string | Secret | ProxyDispatcher | null;
  /** Calls on the wire at once for one authorization; further calls queue. @defaultValue `50` */
  maxConcurrentPerAuthorization?: number;
  /** Calls that may queue behind them; further ones are refused (`queue_full`). @defaultValue `10_000` */
  maxQueuedPerAuthorization?: number;
  /** Calls queued or on the wire over all authorizations; further ones are refused. @defaultValue `50_000` */
  maxCalls?: number;
  /** Sockets to Notion's API over all authorizations; further calls wait for one. @defaultValue `256` */
  maxSockets?: number;
  /** Longest answer of the API that is taken, unpacked, in bytes; event streams have no limit. @defaultValue `33_554_432` (32 MiB) */
  maxAnswerBytes?: number;
  /**
   * Authorizations whose token is read from the database at once; `NotionRefreshBusyError` beyond.
   * @defaultValue `10_000`
   */
  maxReads?: number;
  /** Access tokens kept in memory. @defaultValue `10_000` */
  tokenCacheSize?: number;
  /** How long a cached access token is used without a look at the database, in ms; at most 60 000. @defaultValue `60_000` */
  tokenCacheTtlMs?: number;
  /** How long one API call may take, in ms. @defaultValue `60_000` */
  callTimeoutMs?: number;
}

/** How Notion is told of a disconnect; until it has confirmed, the tokens wait sealed in the database. */
export interface RevocationOptions {
  /** How long a disconnect waits for Notion before it answers `revoke_pending`, in ms. @defaultValue `5_000` */
  waitMs?: number;
  /** Wait after the first attempt that failed, in ms; it doubles up to half an hour. @defaultValue `10_000` */
  firstRetryMs?: number;
  /** Attempts after which a token is erased unconfirmed. @defaultValue `20` */
  maxAttempts?: number;
  /** Age at which a token is erased unconfirmed, in ms. @defaultValue `21_600_000` (six hours) */
  maxAgeMs?: number;
  /** Disconnects of this process that ask Notion at once; further ones are left to the outbox. @defaultValue `100` */
  maxConcurrent?: number;
  /** How often each process looks for revocations that are due, in ms. @defaultValue `30_000` */
  lookEveryMs?: number;
}

/** What comes from Notion's webhooks; without a verification token every delivery is refused. */
export interface WebhookOptions {
  /**
   * Verification tokens of the connection's webhook subscription, as Notion sent them: the one in use, and the one
   * that replaces it. Environment: `NOTION_WEBHOOK_VERIFICATION_TOKENS` (comma separated).
   * @defaultValue none; those that `NotionWebhookPairing` took count too
   */
  verificationTokens?: readonly (string | Secret)[];
  /** Longest delivery that is looked at, in bytes; longer ones get a 413. @defaultValue `1_048_576` */
  maxBodyBytes?: number;
  /** How long an event that has come is not handled again, in ms. @defaultValue `90_000_000` (25 hours: Notion tries for 24) */
  rememberMs?: number;
  /** Events remembered; the oldest are forgotten first. @defaultValue `100_000` */
  maxEvents?: number;
  /** Handlers at work at once in one process. @defaultValue `8` */
  maxConcurrent?: number;
  /** Events that may wait for a handler; further ones get a 503, and come again. @defaultValue `1_000` */
  maxQueued?: number;
  /** How long the end of the process waits for handlers at work, in ms. @defaultValue `25_000` */
  drainMs?: number;
}

/** The options when every provider among them has answered. */
export type GatheredOptions = Omit<NotionAuthOptions, 'clientSecret' | 'encryptionKeys'> & {
  clientSecret: string | Secret;
  encryptionKeys?: readonly EncryptionKeyOption[];
};

/** How events are delivered; a process without listeners leaves them to others. */
export interface EventOptions {
  /** How often each process looks for events of others, in ms; its own are delivered at once. @defaultValue `5_000` */
  lookEveryMs?: number;
  /** How long an event is left to the process that claimed it, in ms; its listeners should be done by then. @defaultValue `60_000` */
  leaseMs?: number;
  /** Deliveries after which an event that its listeners keep failing is given up. @defaultValue `20` */
  maxDeliveries?: number;
  /** How long events are kept, delivered or not, in ms. @defaultValue `604_800_000` (a week) */
  keepMs?: number;
}

/** Times of the health indicator (`nestjs-notion-auth/health`). */
export interface HealthOptions {
  /**
   * What counts as a minute, in ms: every window and wait of the indicator is so many of it. Shorter ones are for
   * rehearsals of an outage. @defaultValue `60_000`
   */
  minuteMs?: number;
}

export interface EncryptionKey {
  readonly id: string;
  /** The 32 bytes, base64, masked. */
  readonly key: Secret;
}

/** {@link DatabaseTlsOptions} after checking. */
export interface DatabaseTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: Secret | null;
  readonly servername: string | null;
  /** How much of the server's certificate is verified: nothing, its authority, or also its name. */
  readonly verification: 'none' | 'authority' | 'identity';
}

type Complete<T> = Readonly<Required<T>>;

/** The outgoing proxy after checking. */
export type OutboundProxy =
  | {
      readonly kind: 'url';
      /** May hold credentials. */
      readonly url: Secret;
      /** Host and port. */
      readonly host: string;
      /** Name of the option or variable that holds it. */
      readonly source: string;
    }
  /** A function, so that freezing and printing the configuration leave the dispatcher alone. */
  | { readonly kind: 'dispatcher'; readonly dispatcher: () => ProxyDispatcher };

/** Options after checking: every field present, no default left to apply, secrets masked, frozen. */
export interface NotionAuthConfig {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly clientSecretNext: Secret | null;
  /** `null`: the secret was given as a text. */
  readonly clientSecretSource: ClientSecretSource | null;
  readonly redirectUris: readonly [string, ...string[]];
  /** Without a slash at the end; `''` for none. */
  readonly publicBasePaths: readonly [string, ...string[]];
  readonly encryptionKeys: readonly [EncryptionKey, ...EncryptionKey[]];
  readonly allowMissingKeys: boolean;
  readonly apiBaseUrl: string;
  readonly issuer: string;
  readonly notionVersion: string;
  readonly production: boolean;
  /** May hold a password. */
  readonly databaseUrl: Secret | null;
  /** `false`: off. `null`: not configured. */
  readonly databaseTls: DatabaseTls | false | null;
  readonly databaseFile: string;
  /** `null`: decided by the kind of storage. */
  readonly runMigrations: boolean | null;
  readonly refresh: Complete<RefreshOptions>;
  readonly connect: Complete<ConnectOptions>;
  readonly outbound: Complete<Omit<OutboundOptions, 'proxy'>> & { readonly proxy: OutboundProxy | null };
  readonly revocation: Complete<RevocationOptions>;
  readonly webhooks: Complete<Omit<WebhookOptions, 'verificationTokens'>> & {
    readonly verificationTokens: readonly Secret[];
  };
  readonly events: Complete<EventOptions>;
  readonly health: Complete<HealthOptions>;
  /** Startup warnings to log: what works and is still worth a look. No values. */
  readonly warnings: readonly string[];
}

/** Injection token of the {@link NotionAuthConfig}. */
export const NOTION_AUTH_CONFIG = Symbol('NOTION_AUTH_CONFIG');
