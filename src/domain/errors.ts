import type { AuthorizationId, ReconnectReason } from './authorization.js';
import { SECOND_MS } from './duration.js';
import type { NotionFailure } from './refresh-outcome.js';

/** Of text that a request brought, an error shows this many characters. */
const MAX_SHOWN = 200;

/** Stable codes: part of the public API, each with a section in the runbook. */
export const NOTION_AUTH_ERROR_CODES = [
  'notion_config_invalid',
  'notion_authorization_not_found',
  'notion_authorization_ambiguous',
  'notion_reconnect_required',
  'notion_refresh_busy',
  'notion_refresh_failed',
  'notion_key_error',
  'notion_callback_refused',
  'notion_connect_denied',
  'notion_connect_failed',
  'notion_connect_other_grant',
  'notion_owner_required',
  'notion_owner_invalid',
  'notion_request_refused',
  'notion_webhook_refused',
  'notion_storage_unsupported',
  'notion_store_unavailable',
] as const;
export type NotionAuthErrorCode = (typeof NOTION_AUTH_ERROR_CODES)[number];

/** Base of everything this library throws on purpose. Messages name the next step and hold no secret. */
export abstract class NotionAuthError extends Error {
  abstract readonly code: NotionAuthErrorCode;
  /** A literal in each class: bundlers that minify change the names of classes. */
  abstract override readonly name: string;
}

/** The configuration cannot work. Lists every problem, by variable and rule, never by value. */
export class NotionConfigError extends NotionAuthError {
  override readonly name = 'NotionConfigError';
  readonly code = 'notion_config_invalid';

  /** Private, because the message lists them and a printed error would list them twice. */
  readonly #problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration of nestjs-notion-auth cannot work:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.#problems = problems;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }
}

/** There is no such authorization, or not for this owner; the two are not told apart. */
export class NotionAuthorizationNotFoundError extends NotionAuthError {
  override readonly name = 'NotionAuthorizationNotFoundError';
  readonly code = 'notion_authorization_not_found';

  constructor() {
    super('There is no such Notion authorization for this owner.');
  }
}

/**
 * The owner has several active authorizations and the request names none of them. Let it name one: by the route parameter
 * `authorizationId`, or by `resolveAuthorization` of the module's options.
 */
export class NotionAmbiguousAuthorizationError extends NotionAuthError {
  readonly code = 'notion_authorization_ambiguous';
  override readonly name = 'NotionAmbiguousAuthorizationError';

  constructor(
    /** The active authorizations of this owner, oldest first. */
    readonly authorizationIds: readonly AuthorizationId[],
  ) {
    super(
      `This owner has ${authorizationIds.length} active Notion authorizations, and the request does not say which one to use. ` +
        'Add the route parameter `:authorizationId` to the route, or set `resolveAuthorization` in the options of NotionAuthModule.',
    );
  }
}

/** Only the person can help: send them through the connect page again. No request was made. */
export class NotionReconnectRequiredError extends NotionAuthError {
  override readonly name = 'NotionReconnectRequiredError';
  readonly code = 'notion_reconnect_required';

  constructor(
    readonly authorizationId: AuthorizationId,
    readonly reason: ReconnectReason | 'disconnected',
  ) {
    super(`Authorization ${authorizationId} needs its person to connect Notion again (${reason}).`);
  }
}

/** Another process is refreshing and the caller's wait is over; the refresh goes on. Try again soon. */
export class NotionRefreshBusyError extends NotionAuthError {
  override readonly name = 'NotionRefreshBusyError';
  readonly code = 'notion_refresh_busy';

  constructor(readonly authorizationId: AuthorizationId) {
    super(
      `Authorization ${authorizationId} is being refreshed and no new token came within the wait limit; try again.`,
    );
  }
}

export type RefreshFailureKind = 'postponed' | 'not_sent' | 'not_processed' | 'configuration' | 'unknown';

/** The token could not be refreshed within the caller's wait, and the grant is not known to be dead. */
export class NotionRefreshFailedError extends NotionAuthError {
  override readonly name = 'NotionRefreshFailedError';
  readonly code = 'notion_refresh_failed';

  constructor(
    readonly authorizationId: AuthorizationId,
    readonly kind: RefreshFailureKind,
    readonly failure: NotionFailure,
    /** Milliseconds before which no process tries again. */
    readonly retryInMs: number,
  ) {
    super(
      `Authorization ${authorizationId} could not be refreshed (${describeFailure(kind, failure)}). Retry in ${seconds(retryInMs)}.`,
    );
  }
}

export const KEY_FAILURES = ['unknown_key_id', 'damaged_envelope', 'decrypt_failed'] as const;
export type KeyFailure = (typeof KEY_FAILURES)[number];

/** A stored secret cannot be opened with the configured keys. The authorization itself is untouched. */
export class NotionKeyError extends NotionAuthError {
  override readonly name = 'NotionKeyError';
  readonly code = 'notion_key_error';

  constructor(
    readonly failure: KeyFailure,
    /** The key id that the envelope names, where it names one. */
    readonly keyId: string | null,
  ) {
    super(
      `A stored Notion secret cannot be opened (${failure}${keyId === null ? '' : `, key id ${keyId}`}).`,
    );
  }
}

export const CALLBACK_REFUSALS = [
  'malformed',
  'missing_state',
  'unknown_state',
  'expired_state',
  'used_state',
  'wrong_browser',
  'wrong_owner',
  'wrong_client',
  'wrong_issuer',
  'speculative',
] as const;
export type CallbackRefusal = (typeof CALLBACK_REFUSALS)[number];

/**
 * The callback is not the first of a connect that this browser started here. Nothing was sent to Notion.
 * `speculative`: a `HEAD` request or a prefetch, which leaves the state unused.
 */
export class NotionCallbackRefusedError extends NotionAuthError {
  override readonly name = 'NotionCallbackRefusedError';
  readonly code = 'notion_callback_refused';

  /** Where the user opens the application to start again: an origin of `redirectUris`. `null` where any will do. */
  readonly startAt: string | null;
  /** The `iss` that is not the configured one, as it came in. */
  readonly issuer: string | null;
  /** The configured issuer, with which `issuer` was compared. */
  readonly expectedIssuer: string | null;
  /** Set when this browser and owner completed the same connect before: send the user to `returnTo`. */
  readonly completed: { readonly returnTo: string } | null;

  constructor(
    readonly refusal: CallbackRefusal,
    {
      startAt = null,
      issuer = null,
      expectedIssuer = null,
      completed = null,
    }: {
      readonly startAt?: string | null;
      readonly issuer?: string | null;
      readonly expectedIssuer?: string | null;
      readonly completed?: { readonly returnTo: string } | null;
    } = {},
  ) {
    super(
      completed === null
        ? `The Notion callback was refused (${refusal}); ${nextStepFor(refusal, { startAt, issuer, expectedIssuer })}.`
        : `The Notion callback was refused (${refusal}): the same connection is completed. Send the user to returnTo.`,
    );
    this.startAt = startAt;
    this.issuer = issuer;
    this.expectedIssuer = expectedIssuer;
    this.completed = completed;
  }
}

function nextStepFor(
  refusal: CallbackRefusal,
  {
    startAt,
    issuer,
    expectedIssuer,
  }: Readonly<Record<'startAt' | 'issuer' | 'expectedIssuer', string | null>>,
): string {
  if (refusal === 'wrong_issuer')
    return `its iss is ${JSON.stringify(issuer?.slice(0, MAX_SHOWN))}, and the configured issuer is ${JSON.stringify(expectedIssuer)}. If the first is Notion's, set the option issuer (NOTION_ISSUER) to it; otherwise another site made this request, and nothing is to be done`;
  if (startAt === null) return 'the user starts again from the connect page';
  return `the browser sent no cookie: the user opens the application at ${startAt} and starts again there`;
}

/** The person pressed Cancel, or Notion refused for its own reasons. Existing authorizations are untouched. */
export class NotionConnectDeniedError extends NotionAuthError {
  override readonly name = 'NotionConnectDeniedError';
  readonly code = 'notion_connect_denied';

  constructor(
    /** RFC 6749 section 4.1.2.1 code, or `other` for one that is not listed there. */
    readonly reason: string,
    readonly returnTo: string,
  ) {
    super(`Notion was not connected (${reason}).`);
  }
}

/** Notion refused the code, or its answer could not be believed. The code is spent: start again. */
export class NotionConnectFailedError extends NotionAuthError {
  override readonly name = 'NotionConnectFailedError';
  readonly code = 'notion_connect_failed';

  constructor(
    readonly kind: 'dead' | Exclude<RefreshFailureKind, 'postponed'>,
    readonly failure: NotionFailure,
  ) {
    super(`The code from Notion could not be exchanged (${describeFailure(kind, failure)}).`);
  }
}

export interface OtherGrant {
  /** Name of the workspace that was to be reconnected, where Notion gave one. */
  readonly workspaceName: string | null;
  /** The owner's authorization that came back in its place: its token pair was renewed. `null` for any other. */
  readonly renewed: {
    readonly authorizationId: AuthorizationId;
    readonly workspaceName: string | null;
  } | null;
}

/** A reconnect came back as another workspace or account. The authorization that was to be reconnected is unchanged. */
export class NotionOtherGrantError extends NotionAuthError {
  override readonly name = 'NotionOtherGrantError';
  readonly code = 'notion_connect_other_grant';
  readonly workspaceName: OtherGrant['workspaceName'];
  readonly renewed: OtherGrant['renewed'];

  constructor(
    readonly authorizationId: AuthorizationId,
    { workspaceName, renewed }: OtherGrant = { workspaceName: null, renewed: null },
  ) {
    super(
      `The user chose another workspace or account than that of authorization ${authorizationId}. Reconnect it again.`,
    );
    this.workspaceName = workspaceName;
    this.renewed = renewed;
  }
}

/** `resolveOwner` named nobody for this request. */
export class NotionOwnerRequiredError extends NotionAuthError {
  override readonly name = 'NotionOwnerRequiredError';
  readonly code = 'notion_owner_required';

  constructor() {
    super('No owner was resolved for this request; sign in before connecting Notion.');
  }
}

/**
 * An owner id is of the wrong type: a fault of the application, not of the user.
 * @see `resolveOwner`
 */
export class NotionOwnerInvalidError extends NotionAuthError {
  readonly code = 'notion_owner_invalid';
  override readonly name = 'NotionOwnerInvalidError';

  constructor(source: 'resolveOwner' | 'ownerId', value: unknown) {
    const type = typeOf(value);
    super(
      source === 'resolveOwner'
        ? `resolveOwner returned ${type}. Return a string, such as String(user.id), or null when no user is signed in.`
        : `The ownerId passed to NotionConnectService is ${type}. Pass a string, the same that resolveOwner returns for this user.`,
    );
  }
}

export type RequestRefusal =
  | 'foreign_origin'
  | 'oauth_path'
  | 'path_traversal'
  | 'target_too_long'
  | 'invalid_header'
  | 'body_not_replayable'
  | 'queue_full';

/** The outbound request was refused before a socket was opened, or could not be repeated after a 401. */
export class NotionRequestRefusedError extends NotionAuthError {
  override readonly name = 'NotionRequestRefusedError';
  readonly code = 'notion_request_refused';

  constructor(readonly refusal: RequestRefusal) {
    super(`The request was not sent to Notion (${refusal}).`);
  }
}

export type WebhookRefusal =
  | 'no_raw_body'
  | 'too_large'
  | 'missing_signature'
  | 'malformed_signature'
  | 'bad_signature'
  | 'unpaired'
  | 'pairing_closed'
  | 'malformed_event'
  | 'queue_full';

/** A webhook delivery was refused by us. Notion had no part in it, and no token of anybody is concerned. */
export class NotionWebhookRefusedError extends NotionAuthError {
  override readonly name = 'NotionWebhookRefusedError';
  readonly code = 'notion_webhook_refused';

  constructor(readonly refusal: WebhookRefusal) {
    super(`The webhook delivery was refused (${refusal}).`);
  }
}

/**
 * The store could not be read or written. What needed it was not done, unless `connecting` is set. The driver's error is
 * the `cause`.
 */
export class NotionStoreUnavailableError extends NotionAuthError {
  override readonly name = 'NotionStoreUnavailableError';
  readonly code = 'notion_store_unavailable';

  /**
   * Set when Notion has granted access already: the token pair is kept, and stored as soon as the store is back. The
   * user has nothing to do; send them to `returnTo`.
   */
  readonly connecting: { readonly returnTo: string } | null;

  constructor(
    options?: ErrorOptions & {
      readonly connecting?: { readonly returnTo: string };
      /** What is known of the reason, with the next step. */
      readonly detail?: string;
    },
  ) {
    const { connecting = null, detail } = options ?? {};
    super(
      detail ??
        (connecting === null
          ? 'The store of Notion authorizations does not answer; try again soon.'
          : 'Notion granted access, and the store of Notion authorizations does not respond. Storing is retried in the background; look again soon.'),
      options,
    );
    this.connecting = connecting;
  }
}

/** The given DataSource cannot keep authorizations safely. */
export class NotionStorageUnsupportedError extends NotionAuthError {
  override readonly name = 'NotionStorageUnsupportedError';
  readonly code = 'notion_storage_unsupported';
}

function typeOf(value: unknown): string {
  const type = Array.isArray(value) ? 'array' : typeof value;
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function seconds(ms: number): string {
  const whole = Math.max(1, Math.floor(ms / SECOND_MS));
  return whole === 1 ? '1 second' : `${String(whole)} seconds`;
}

function describeFailure(kind: string, failure: NotionFailure): string {
  const facts = [
    kind,
    failure.status,
    failure.code,
    failure.proxy && `proxy ${failure.proxy}`,
    failure.requestId && `request ${failure.requestId}`,
  ];
  return facts.filter((fact) => fact !== undefined).join(', ');
}
