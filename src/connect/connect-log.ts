import { Injectable, Logger } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';
import {
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';

const MAX_LINE_LENGTH = 256;

type Facts = Readonly<Record<string, string | number | null | undefined>>;

/** Everything that connecting writes to the log, in one vocabulary. No line knows a code, a state or a query. */
@Injectable()
export class ConnectLog {
  private readonly logger = new Logger('NotionConnect');

  started(reconnect: AuthorizationId | null | undefined): void {
    this.logger.debug(logLine('connect started', { reconnect }));
  }

  completed(kind: 'connected' | 'reconnected', authorization: AuthorizationId): void {
    this.logger.log(logLine('connect completed', { kind, authorization }));
  }

  disconnected(outcome: string, authorization: AuthorizationId): void {
    this.logger.log(logLine('disconnect', { outcome, authorization }));
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
      this.logger.warn(logLine('connect refused', { refusal: error.refusal }));
    } else if (error instanceof NotionOtherGrantError) {
      this.logger.warn(logLine('connect other_grant', { authorization: error.authorizationId }));
    } else if (error instanceof NotionConnectFailedError) {
      const { status, code, requestId } = error.failure;
      const line = logLine('connect failed', { kind: error.kind, status, code, request: requestId });
      if (error.kind === 'configuration') this.logger.error(line);
      else this.logger.warn(line);
    } else if (error instanceof NotionStoreUnavailableError) {
      this.logger.error(logLine('connect store_unavailable', { cause: nameOf(error.cause) }));
    }
  }
}

/** One line of printable ASCII, whatever the facts hold. */
export function logLine(event: string, facts: Facts): string {
  const pairs = Object.entries(facts).flatMap(([name, fact]) =>
    fact == null ? [] : [`${name}=${encodeURIComponent(fact)}`],
  );
  return [event, ...pairs].join(' ').slice(0, MAX_LINE_LENGTH);
}

/** The driver's code (`SQLITE_BUSY`, `ECONNREFUSED`) rather than its message, which may quote values. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
