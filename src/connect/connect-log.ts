import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { connectAnswerFor } from './connect-answer.js';
import { pathOf, type ConnectRequest } from './connect-request.js';
import { callbackResultOf } from './callback-result.js';
import {
  NotionAuthError,
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { NotionLogger } from '../logging/notion.logger.js';

/** A person who declined goes back to where they came from. */
const SEE_OTHER = 303;
const UNAUTHORIZED = 401;
const INTERNAL_ERROR = 500;

/** Requests that this module has rejected with 401. Not a field: who inspects the log must not see a request. */
const unauthorizedHere = new WeakSet<object>();

/** Everything that connecting writes to the log, in one vocabulary. No line knows a code, a state or a query. */
@Injectable()
export class ConnectLog {
  private readonly logger = new NotionLogger('NotionConnect');
  private readonly failures: QuietLogger;

  constructor(
    clock: Clock,
    private readonly metrics: NotionMetrics,
    private readonly watched: AuthorizationWatch,
    private readonly recent: RecentFailures,
  ) {
    this.failures = new QuietLogger('NotionConnect', clock);
  }

  started(reconnect: AuthorizationId | null | undefined): void {
    this.logger.debug('connect started', { reconnect });
  }

  /** The callback will arrive on the redirect URI's host, without the cookie that the browser keeps for `host`. */
  openedOnOtherHost(host: string, redirectUri: string): void {
    const redirectHost = new URL(redirectUri).host;
    this.failures.warn(
      'connect opened on another host',
      'connect opened on another host than its redirect URI, so the callback will be rejected: open the application on redirect_host, or add a redirect URI on host to redirectUris; if a proxy changes Host, set the trust proxy setting of Express or trustProxy of Fastify',
      { host, redirect_host: redirectHost },
    );
  }

  disconnected(outcome: string, authorization: AuthorizationId): void {
    this.watched.statusChanged(authorization, 'revoked');
    this.logger.log('disconnect', { outcome, authorization });
  }

  /** Middleware of the built-in routes: a guard of the application may respond with 401 before they are reached. */
  watchResponse(request: ConnectRequest, response: ServerResponse): void {
    response.once('finish', () => {
      if (response.statusCode === UNAUTHORIZED && !unauthorizedHere.has(request))
        this.unauthorized(request, 'application');
    });
  }

  /** An error of which the browser learns no more than the code. */
  answered(error: NotionAuthError, request: ConnectRequest): void {
    const { status } = connectAnswerFor(error);
    if (status === UNAUTHORIZED) {
      unauthorizedHere.add(rawOf(request));
      this.unauthorized(request, 'no_owner');
    } else if (status === INTERNAL_ERROR) {
      const facts = { stage: 'exchange', route: pathOf(request), answered: status } as const;
      this.failures.error(error.code, error.message.replaceAll(/\s+/g, ' '), facts);
    }
  }

  private unauthorized(request: ConnectRequest, reason: 'no_owner' | 'application'): void {
    const facts = { stage: 'exchange', reason, route: pathOf(request), answered: UNAUTHORIZED } as const;
    this.failures.warn(`connect unauthorized ${reason}`, 'connect unauthorized', facts);
  }

  /** As {@link ConnectLog.watch} for a callback, which is counted as well. */
  async watchCallback<T>(work: () => Promise<T>, reconnect?: AuthorizationId | null): Promise<T> {
    try {
      return await this.watch(work, reconnect);
    } catch (error) {
      this.metrics.count('notion_auth_callbacks_total', { result: callbackResultOf(error) });
      if (isRepeated(error)) throw error;
      this.recent.note('exchange', codeOf(error));
      throw error;
    }
  }

  /**
   * Runs `work` and writes down how it failed, if it did.
   * @param reconnect - Whom it is about, where somebody connects again.
   */
  async watch<T>(work: () => Promise<T>, reconnect?: AuthorizationId | null): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.failed(error, reconnect);
      throw error;
    }
  }

  /** Errors that are not about connecting are left to whoever handles them. */
  private failed(error: unknown, authorization?: AuthorizationId | null): void {
    if (!(error instanceof NotionAuthError)) return;
    const stage = 'exchange';
    const about = { answered: connectAnswerFor(error).status, authorization };
    if (error instanceof NotionConnectDeniedError) {
      this.logger.log('connect denied', { stage, reason: error.reason, answered: SEE_OTHER, authorization });
    } else if (isRepeated(error)) {
      this.logger.log('connect repeated', { stage, answered: SEE_OTHER, authorization });
    } else if (error instanceof NotionCallbackRefusedError) {
      const { refusal, issuer, expectedIssuer } = error;
      const issuers = issuer === null ? {} : { issuer, expected_issuer: expectedIssuer };
      const facts = { stage, refusal, ...issuers, ...about } as const;
      this.failures.warn(`connect refused ${refusal}`, 'connect refused', facts);
    } else if (error instanceof NotionOtherGrantError) {
      // An alert: a confused person, or a code that somebody slipped into this browser (RFC 9700 section 4.5).
      this.logger.error('connect other_grant', {
        stage,
        authorization: error.authorizationId,
        answered: about.answered,
      });
    } else if (error instanceof NotionConnectFailedError) {
      const { status, code, requestId } = error.failure;
      const facts = { stage, kind: error.kind, status, code, request: requestId, ...about } as const;
      const kind = `connect failed ${error.kind}`;
      if (error.kind === 'configuration') this.failures.error(kind, 'connect failed', facts);
      else this.failures.warn(kind, 'connect failed', facts);
    } else if (error instanceof NotionStoreUnavailableError) {
      const cause = nameOf(error.cause);
      const facts = { stage, error: cause, ...about } as const;
      this.failures.error(`connect store_unavailable ${cause}`, 'connect store_unavailable', facts);
    }
  }
}

/** Middleware on Fastify gets the request of Node, as on Express everything does. */
function rawOf(request: ConnectRequest & { readonly raw?: object }): object {
  return request.raw ?? request;
}

/** The callback of a completed connect came again, or another one for the same state. */
function isRepeated(error: unknown): boolean {
  return error instanceof NotionCallbackRefusedError && error.completed !== null;
}

/** Notion's own word where there is one, else this library's. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof NotionConnectFailedError) return error.failure.code ?? error.code;
  return error instanceof NotionAuthError ? error.code : undefined;
}

/** The driver's code (`SQLITE_BUSY`, `ECONNREFUSED`) rather than its message, which may quote values. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
