import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptStatistics } from '../domain/attempt-statistics.js';
import { fromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

/** The attempt journal of the configured client id. */
@Injectable()
export class TypeOrmAttemptStatistics extends AttemptStatistics {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async prune(olderThanMs: number): Promise<number> {
    const { clientId } = this.config;
    return this.database.transaction(async ({ manager, dialect }) => {
      const old = manager.createQueryBuilder().delete().from(RefreshAttemptEntity);
      const removed = await old
        .where('client_id = :clientId', { clientId })
        .andWhere(`started_at < ${fromNow(dialect, -olderThanMs)}`)
        .callListeners(false)
        .execute();
      return removed.affected ?? 0;
    });
  }
}
