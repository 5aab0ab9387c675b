import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SECOND_MS } from '../domain/duration.js';
import { NotionAuthError, NotionRefreshFailedError } from '../domain/errors.js';
import { HTTP_STATUS_BY_CODE } from '../domain/http-status.js';

/**
 * Answers with `{ code, message }` and the status of the error's kind, on Express and Fastify alike. Messages hold
 * no secret. Provide it as `APP_FILTER`, or name it in `@UseFilters`.
 */
@Catch(NotionAuthError)
export class NotionAuthExceptionFilter implements ExceptionFilter<NotionAuthError> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: NotionAuthError, host: ArgumentsHost): void {
    // WebSocket and microservice callers have no status; their own filters know what they want.
    if (host.getType() !== 'http') throw error;
    const { httpAdapter } = this.adapterHost;
    const response = host.switchToHttp().getResponse<unknown>();
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response);
      return;
    }
    const retryAfter = retryAfterSeconds(error);
    if (retryAfter !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfter));
    httpAdapter.reply(
      response,
      { code: error.code, message: error.message },
      HTTP_STATUS_BY_CODE[error.code],
    );
  }
}

function retryAfterSeconds(error: NotionAuthError): number | undefined {
  if (HTTP_STATUS_BY_CODE[error.code] === 503) return 1;
  const retryAfterMs = error instanceof NotionRefreshFailedError ? error.failure.retryAfterMs : undefined;
  return retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / SECOND_MS));
}
