import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { NotionConnectService, type Authorization } from 'nestjs-notion-auth';
import { catchError, from, map, of, switchMap, tap, type Observable } from 'rxjs';
import { NotionStandIn } from '../notion-stand-in.js';
import { Session } from '../session.js';
import { ACTION_TITLE, type ActionAnswer, type ActionResult } from './action.js';
import { explainProblem } from './problem.words.js';
import { LastResults } from './last-results.js';

type Verdict = Pick<ActionResult, 'succeeded' | 'headline' | 'details' | 'nextStep'>;

/** Keeps what an action came to, and what Notion saw of it, for the page that the browser is sent back to. */
@Injectable()
export class ActionReport implements NestInterceptor {
  private readonly logger = new Logger(ActionReport.name);

  constructor(
    private readonly connect: NotionConnectService,
    private readonly standIn: NotionStandIn,
    private readonly results: LastResults,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<ActionAnswer>): Observable<undefined> {
    const request = context.switchToHttp().getRequest<Request<{ authorizationId: string }>>();
    // The guard let the request through, so there is a session.
    const { ownerId } = Session.of(request)!;
    const title = this.reflector.get<string>(ACTION_TITLE, context.getHandler());
    return from(this.find(ownerId, request.params.authorizationId)).pipe(
      switchMap((authorization) => this.observe(title, authorization, next)),
      tap((result) => {
        this.results.keep(ownerId, result);
      }),
      map(() => undefined),
    );
  }

  private observe(
    title: string,
    authorization: Authorization | undefined,
    next: CallHandler<ActionAnswer>,
  ): Observable<Omit<ActionResult, 'number'>> {
    const figures = this.standIn.startCounting(authorization?.botId ?? '');
    const begunAt = performance.now();
    return next.handle().pipe(
      map((answer): Verdict => ({ ...answer, succeeded: true })),
      catchError((error: unknown) => of(this.verdictOn(error))),
      map((verdict) => ({
        ...verdict,
        title,
        workspaceName: authorization?.workspaceName ?? null,
        figures: figures(),
        tookMs: performance.now() - begunAt,
        at: new Date(),
      })),
    );
  }

  private verdictOn(error: unknown): Verdict {
    const problem = explainProblem(error);
    if (problem.isSurprise) this.logger.error(error);
    return { succeeded: false, headline: problem.headline, nextStep: problem.nextStep };
  }

  private async find(ownerId: string, authorizationId: string): Promise<Authorization | undefined> {
    const authorizations = await this.connect.list(ownerId);
    return authorizations.find(({ id }) => id === authorizationId);
  }
}
