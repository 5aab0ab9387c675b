import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptStatistics } from '../domain/attempt-statistics.js';
import { boundFromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

/** Rows of one transaction. */
const PRUNED_AT_ONCE = 1_000;

/** The attempt journal of the configured client id. */
@Injectable()
export class TypeOrmAttemptStatistics extends AttemptStatistics {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async prune(olderThanMs: number): Promise<boolean> {
    const ids = await this.findOld(olderThanMs);
    if (ids.length > 0) {
      await this.database.transaction(({ manager }) =>
        manager
          .createQueryBuilder()
          .delete()
          .from(RefreshAttemptEntity)
          .where('id IN (:...ids)', { ids })
          .callListeners(false)
          .execute(),
      );
    }
    return ids.length === PRUNED_AT_ONCE;
  }

  /** The oldest first and not all at once: so they are read from the index, and a backlog locks few rows at a time. */
  private async findOld(olderThanMs: number): Promise<string[]> {
    const { clientId } = this.config;
    const old = await this.database.read(({ manager, dialect }) =>
      manager
        .createQueryBuilder(RefreshAttemptEntity, 't')
        .select(['t.id', 't.startedAt'])
        .where('t.clientId = :clientId', { clientId })
        .andWhere(`t.startedAt < ${boundFromNow(dialect, -olderThanMs)}`)
        .orderBy('t.startedAt')
        .limit(PRUNED_AT_ONCE)
        .getMany(),
    );
    return old.map(({ id }) => id);
  }
}
