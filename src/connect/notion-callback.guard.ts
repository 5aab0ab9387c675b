import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { NOTION_CALLBACK_ROUTE } from '../config/callback-route.js';
import { requestOf } from '../config/http-context.js';
import { CallbackVerifier } from './callback.verifier.js';
import { NotionCallbackRefusedError } from '../domain/errors.js';
import { isSpeculative, type ConnectRequest } from './connect-request.js';
import { keepVerifiedCallback } from './verified-callback.js';

/**
 * Guards the route that Notion sends the browser back to: only the callback of a connect which this browser and
 * this owner started here gets through, once. The handler takes it with `@NotionCallback()` and hands it to
 * `NotionConnectService.complete`. What the guard throws, `NotionConnectFilter` turns into an answer.
 */
@Injectable()
@SetMetadata(NOTION_CALLBACK_ROUTE, true)
export class NotionCallbackGuard implements CanActivate {
  constructor(private readonly callbacks: CallbackVerifier) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context, 'NotionCallbackGuard') as ConnectRequest;
    if (isSpeculative(request)) throw new NotionCallbackRefusedError('speculative');
    keepVerifiedCallback(request, await this.callbacks.verify(request));
    return true;
  }
}
