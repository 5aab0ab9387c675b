import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { OwnerGate } from '../config/owner.gate.js';
import { selectRedirectUri } from '../config/redirect-uri.selection.js';
import type { ConnectStateKeys, PendingConnect } from '../domain/connect-state-store.js';
import {
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionStoreUnavailableError,
  type CallbackRefusal,
} from '../domain/errors.js';
import { BrowserBinding } from './browser-binding.js';
import { CodeExchange } from './code-exchange.js';
import { parseCallbackQuery } from './callback-query.js';
import { ConnectLog } from './connect-log.js';
import { rawQueryOf, type ConnectRequest } from './connect-request.js';
import { hashConnectSecret, isConnectSecret } from './connect-secret.js';
import { PendingConnects, type EndResult } from './pending.connects.js';
import { VerifiedCallback } from './verified-callback.js';

const REFUSALS = {
  unknown: 'unknown_state',
  expired: 'expired_state',
  used: 'used_state',
  wrong_browser: 'wrong_browser',
} as const satisfies Record<string, CallbackRefusal>;

type ConsumedConnect = Extract<EndResult, { kind: 'consumed' }>;

/** Decides whether a callback ends a connect that this browser started here for this owner, and ends it once. */
@Injectable()
export class CallbackVerifier {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly pending: PendingConnects,
    private readonly owners: OwnerGate,
    private readonly browsers: BrowserBinding,
    private readonly codes: CodeExchange,
    private readonly log: ConnectLog,
  ) {}

  /**
   * @throws {@link NotionCallbackRefusedError} when it does not; {@link NotionConnectDeniedError} when it does and
   * brings a refusal; {@link NotionOwnerRequiredError}; {@link NotionStoreUnavailableError}.
   */
  verify(request: ConnectRequest): Promise<VerifiedCallback> {
    return this.log.watchCallback(() => this.consume(request));
  }

  private async consume(request: ConnectRequest): Promise<VerifiedCallback> {
    const query = parseCallbackQuery(rawQueryOf(request));
    this.requireIssuer(query.issuer);
    const keys = this.keysOf(query.state, request);
    const ownerId = this.config.connect.ownerFromState ? null : await this.owners.ownerOf(request);
    // Before the state is spent, so that the same callback may come again.
    if (query.kind === 'code' && this.codes.isFull) throw new NotionStoreUnavailableError();
    const { pending, atMs } = await this.consumeState(keys, ownerId);
    try {
      this.requireSameConnect(pending, ownerId);
      if (query.kind === 'error') throw new NotionConnectDeniedError(query.reason, pending.returnTo);
    } catch (error) {
      await this.pending.settle(keys.stateHash, 'failed');
      throw error;
    }
    return new VerifiedCallback(query.code, pending, { stateHash: keys.stateHash, atMs });
  }

  /** RFC 9207: an issuer that is named must be ours; compared before the state is spent on somebody's forgery. */
  private requireIssuer(issuer: string | undefined): void {
    const expectedIssuer = this.config.issuer;
    if (issuer !== undefined && issuer !== expectedIssuer) refuse('wrong_issuer', { issuer, expectedIssuer });
  }

  /** Missing never equals missing: without a state or without a cookie there is nothing to look up. */
  private keysOf(state: string, { headers, host }: ConnectRequest): ConnectStateKeys {
    if (!isConnectSecret(state)) refuse('unknown_state');
    const browserHash = this.browsers.recognise(headers.cookie);
    if (browserHash === null) {
      // Most often the application was opened on another host, where the browser keeps the cookie.
      const startAt = new URL(selectRedirectUri(this.config.redirectUris, host)).origin;
      refuse('wrong_browser', { startAt });
    }
    return { stateHash: hashConnectSecret(state), browserHash };
  }

  private async consumeState(keys: ConnectStateKeys, ownerId: string | null): Promise<ConsumedConnect> {
    const result = await this.pending.end(keys);
    if (result.kind === 'consumed') return result;
    if (result.kind !== 'completed') return refuse(REFUSALS[result.kind]);
    const { pending } = result;
    // Another owner learns no more of it than of any used state.
    const completed = isOwner(ownerId, pending) ? { returnTo: pending.returnTo } : null;
    throw new NotionCallbackRefusedError('used_state', { completed });
  }

  private requireSameConnect(pending: PendingConnect, ownerId: string | null): void {
    const isOurs =
      pending.clientId === this.config.clientId && this.config.redirectUris.includes(pending.redirectUri);
    if (!isOurs) refuse('wrong_client');
    if (!isOwner(ownerId, pending)) refuse('wrong_owner');
  }
}

/** `ownerId` is `null` where the state alone names the owner. */
function isOwner(ownerId: string | null, pending: PendingConnect): boolean {
  return ownerId === null || ownerId === pending.ownerId;
}

function refuse(...refusal: ConstructorParameters<typeof NotionCallbackRefusedError>): never {
  throw new NotionCallbackRefusedError(...refusal);
}
