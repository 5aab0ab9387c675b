import { ForbiddenException, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Session } from '../session.js';

/** Lets a form through when it carries the token of the session that its page was made for. */
@Injectable()
export class FormGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<Request<unknown, unknown, { formToken?: unknown } | undefined>>();
    if (Session.of(request as Request)?.accepts(request.body?.formToken) === true) return true;
    throw new ForbiddenException('This page is out of date. Open it again, then press the button once more.');
  }
}
