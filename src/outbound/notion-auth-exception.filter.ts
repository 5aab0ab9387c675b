import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { passOn } from '../config/http-context.js';
import { SystemClock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionAuthError, NotionRefreshFailedError } from '../domain/errors.js';
import { HTTP_STATUS_BY_CODE } from '../domain/http-status.js';
import type { LogFacts } from '../logging/log-line.js';
import { QuietLogger } from '../logging/quiet.logger.js';

const INTERNAL_ERROR = 500;

/**
 * Answers with `{ code, message }` and the status of the error's kind, on Express and Fastify alike. Messages hold
 * no secret. A caller by message or WebSocket gets both in the form of Nest's own errors there. Provide it as
 * `APP_FILTER`, or name it in `@UseFilters`.
 */
@Catch(NotionAuthError)
export class NotionAuthExceptionFilter implements ExceptionFilter<NotionAuthError> {
  private readonly failures = new QuietLogger('NotionAuth', new SystemClock());

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: NotionAuthError, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') {
      this.log(error);
      return passOn(error, host);
    }
    this.respond(error, host);
    return undefined;
  }

  private respond(error: NotionAuthError, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const response = host.switchToHttp().getResponse<unknown>();
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response);
      return;
    }
    const status = HTTP_STATUS_BY_CODE[error.code];
    this.log(error, status);
    const retryAfter = retryAfterSeconds(error);
    if (retryAfter !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfter));
    httpAdapter.reply(response, { code: error.code, message: messageFor(error) }, status);
  }

  private log(error: NotionAuthError, answered?: number): void {
    this.failures.warn(`request answered ${error.code}`, 'request answered', factsOf(error, answered));
    if (isInternal(error)) this.failures.error(error.code, error.message.replaceAll(/\s+/g, ' '));
  }
}

/** A fault of the application or its operator: what it says is for them, and goes to the log. */
function isInternal(error: NotionAuthError): boolean {
  return HTTP_STATUS_BY_CODE[error.code] === INTERNAL_ERROR;
}

function messageFor(error: NotionAuthError): string {
  if (!isInternal(error)) return error.message;
  return 'This application is not set up correctly. Its log names the cause.';
}

/** Notion's own status, code and request id, where it said something; ours stands beside them. */
function factsOf(error: NotionAuthError, answered: number | undefined): LogFacts {
  const failure = error instanceof NotionRefreshFailedError ? error.failure : undefined;
  return {
    stage: 'api',
    status: failure?.status,
    code: failure?.code,
    request: failure?.requestId,
    answered,
    authorization: 'authorizationId' in error ? String(error.authorizationId) : undefined,
    error: error.code,
  };
}

function retryAfterSeconds(error: NotionAuthError): number | undefined {
  if (error instanceof NotionRefreshFailedError) return Math.max(1, Math.ceil(error.retryInMs / SECOND_MS));
  return HTTP_STATUS_BY_CODE[error.code] === 503 ? 1 : undefined;
}
