import type { ExecutionContext } from '@nestjs/common';
import type { Client } from '@notionhq/client';
import { createHandlerParameter } from '../config/handler-parameter.js';
import { handlerOf, requestOf } from '../config/http-context.js';
import type { Authorization } from '../domain/authorization.js';
import { NotionConfigError } from '../domain/errors.js';
import type { NotionContext, NotionRequest } from './notion-context.js';

/** The `Authorization` that the request uses. Needs `NotionTokenInterceptor` on the route. */
export const NotionAuthorization = createHandlerParameter(
  (_data: unknown, context: ExecutionContext): Authorization =>
    contextOf(context, '@NotionAuthorization()').authorization,
);

/** The official SDK's `Client`, acting as the request's authorization. Needs `NotionTokenInterceptor` on the route. */
export const NotionSdk = createHandlerParameter(
  (_data: unknown, context: ExecutionContext): Client => contextOf(context, '@NotionSdk()').client,
);

function contextOf(context: ExecutionContext, decorator: string): NotionContext {
  const { notion } = requestOf(context, decorator) as Partial<NotionRequest>;
  if (notion !== undefined) return notion;
  throw new NotionConfigError([
    `${decorator} in ${handlerOf(context)} needs @UseInterceptors(NotionTokenInterceptor)`,
  ]);
}
