import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { NotionConfigError } from '../domain/errors.js';
import type { NotionContext } from './notion-context.js';

/** The Notion authorization of the request being handled, for services that no request object reaches. */
@Injectable()
export class NotionScope {
  private readonly storage = new AsyncLocalStorage<NotionContext>();

  /** `undefined` outside of a handler behind `NotionTokenInterceptor`. */
  get current(): NotionContext | undefined {
    return this.storage.getStore();
  }

  /** @throws {@link NotionConfigError} outside of a handler behind `NotionTokenInterceptor`. */
  require(): NotionContext {
    const context = this.current;
    if (context === undefined) {
      throw new NotionConfigError([
        'NotionScope is empty: the route needs @UseInterceptors(NotionTokenInterceptor)',
      ]);
    }
    return context;
  }

  /** Opens the scope by hand, as for a job that works for one authorization. */
  run<Result>(context: NotionContext, work: () => Result): Result {
    return this.storage.run(context, work);
  }
}
