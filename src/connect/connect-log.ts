import { Injectable, Logger } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { callbackResultOf } from './callback-result.js';
import {
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { QuietLogger } from '../refresh/quiet-logger.js';

const MAX_LINE_LENGTH = 256;

type Facts = Readonly<Record<string, string | number | null | undefined>>;

/** Everything that connecting writes to the log, in one vocabulary. No line knows a code, a state or a query. */
@Injectable()
export class ConnectLog {
  private readonly logger = new Logger('NotionConnect');
  private readonly failures: QuietLogger;

  constructor(
    clock: Clock,
    private readonly metrics: NotionMetrics,
    private readonly watched: AuthorizationWatch,
  ) {
    this.failures = new QuietLogger('NotionConnect', clock);
  }

  started(reconnect: AuthorizationId | null | undefined): void {
    this.logger.debug(logLine('connect started', { reconnect }));
  }

  completed(kind: 'connected' | 'reconnected', authorization: AuthorizationId): void {
    this.metrics.count('notion_auth_callbacks_total', { result: kind });
    this.watched.statusChanged(authorization);
    this.logger.log(logLine('connect completed', { kind, authorization }));
  }

  disconnected(outcome: string, authorization: AuthorizationId): void {
    this.watched.statusChanged(authorization);
    this.logger.log(logLine('disconnect', { outcome, authorization }));
  }

  /** As {@link ConnectLog.watch} for a callback, which is counted as well. */
  async watchCallback<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.watch(work);
    } catch (error) {
      this.metrics.count('notion_auth_callbacks_total', { result: callbackResultOf(error) });
      throw error;
    }
  }

  /** Runs `work` and writes down how it failed, if it did. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  /** Errors that are not about connecting are left to whoever handles them. */
  private failed(error: unknown): void {
    if (error instanceof NotionConnectDeniedError) {
      this.logger.log(logLine('connect denied', { reason: error.reason }));
    } else if (error instanceof NotionCallbackRefusedError) {
      const line = logLine('connect refused', { refusal: error.refusal });
      this.failures.warn(line, line);
    } else if (error instanceof NotionOtherGrantError) {
      // An alert: a confused person, or a code that somebody slipped into this browser (RFC 9700 section 4.5).
      this.logger.error(logLine('connect other_grant', { authorization: error.authorizationId }));
    } else if (error instanceof NotionConnectFailedError) {
      const { status, code, requestId } = error.failure;
      const line = logLine('connect failed', { kind: error.kind, status, code, request: requestId });
      const kind = `connect failed ${error.kind}`;
      if (error.kind === 'configuration') this.failures.error(kind, line);
      else this.failures.warn(kind, line);
    } else if (error instanceof NotionStoreUnavailableError) {
      const line = logLine('connect store_unavailable', { cause: nameOf(error.cause) });
      this.failures.error(line, line);
    }
  }
}

/** One line of printable ASCII, whatever the facts hold. */
export function logLine(event: string, facts: Facts): string {
  const pairs = Object.entries(facts).flatMap(([name, fact]) =>
    fact == null ? [] : [`${name}=${encodeURIComponent(wellFormed(fact))}`],
  );
  return [event, ...pairs].join(' ').slice(0, MAX_LINE_LENGTH);
}

/** Half a surrogate pair, as broken JSON may bring it, has no encoding. */
function wellFormed(fact: string | number): string {
  return Buffer.from(String(fact).slice(0, MAX_LINE_LENGTH)).toString();
}

/** The driver's code (`SQLITE_BUSY`, `ECONNREFUSED`) rather than its message, which may quote values. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
