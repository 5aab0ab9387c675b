import { Injectable } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { apiErrorCode } from '../domain/instrument-labels.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { NotionTracing, type SpanNotes } from '../domain/notion-tracing.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import type { LogFacts } from '../logging/log-line.js';
import { AccessTokenCache } from '../refresh/access-token.cache.js';
import { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { codeOf, type HttpAnswer } from './http-answer.js';
import { noAnswerCodeOf } from './no-answer.js';
import type { OutboundRequest } from './outbound-request.js';

/** What an authorized call tells the metrics, the trace and the log: how it ended, after whatever was renewed. */
@Injectable()
export class CallMeter {
  private readonly failures: QuietLogger;

  constructor(
    private readonly metrics: NotionMetrics,
    private readonly tracing: NotionTracing,
    private readonly watch: AuthorizationWatch,
    private readonly recent: RecentFailures,
    private readonly tokens: AccessTokenCache,
    clock: Clock,
  ) {
    this.failures = new QuietLogger('NotionCalls', clock);
  }

  measure(
    id: AuthorizationId,
    { method }: Pick<OutboundRequest, 'method'>,
    call: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    // The path names a page or a database, so it stays out of the trace.
    return this.tracing.span('notion_auth.call', { authorization: id, method }, async (span) => {
      try {
        const answer = await call();
        this.answered(id, answer, span);
        return answer;
      } catch (error) {
        this.unanswered(id, error, span);
        throw error;
      }
    });
  }

  private answered(id: AuthorizationId, answer: HttpAnswer, span: SpanNotes): void {
    const isError = answer.status >= 400;
    this.watch.called(id, isError);
    const request = requestIdOf(answer);
    span.add({ status: answer.status, request });
    if (!isError) return;
    const code = apiErrorCode(codeOf(answer));
    this.metrics.count('notion_auth_api_errors_total', { code });
    this.recent.note('api', code);
    span.add({ code });
    span.fail(code);
    const facts = { stage: 'api', status: answer.status, code, request, ...this.whose(id) } as const;
    this.failures.warn(`call refused ${String(answer.status)} ${code}`, 'call refused', facts);
  }

  /** A call that was not sent at all, or that its caller broke off, is no failure of Notion's. */
  private unanswered(id: AuthorizationId, error: unknown, span: SpanNotes): void {
    const code = noAnswerCodeOf(error);
    if (code === null) return;
    this.watch.called(id, true);
    this.metrics.count('notion_auth_api_errors_total', { code: 'no_answer' });
    this.recent.note('api', code);
    span.add({ code });
    this.failures.warn(`call failed ${code}`, 'call failed', { stage: 'api', code, ...this.whose(id) });
  }

  /** The token that was just used tells whose it is. */
  private whose(id: AuthorizationId): LogFacts {
    const grant = this.tokens.get(id)?.grant;
    return { authorization: id, bot: grant?.botId, workspace: grant?.workspaceId };
  }
}

function requestIdOf({ headers }: HttpAnswer): string | undefined {
  const id = headers['x-notion-request-id'];
  return Array.isArray(id) ? id[0] : id;
}
