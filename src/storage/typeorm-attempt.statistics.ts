import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptStatistics, type OutcomeCounts } from '../domain/attempt-statistics.js';
import { ATTEMPT_OUTCOMES, type AttemptOutcome } from '../domain/refresh-outcome.js';
import { fromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

/** Reads the attempt journal of the configured client id, over all processes. */
@Injectable()
export class TypeOrmAttemptStatistics extends AttemptStatistics {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async countOutcomes(windowMs: number): Promise<OutcomeCounts> {
    const { clientId } = this.config;
    const rows = await this.database.read(({ manager, dialect }) =>
      manager
        .createQueryBuilder(RefreshAttemptEntity, 't')
        .select('t.outcome', 'outcome')
        .addSelect('COUNT(*)', 'total')
        .where('t.clientId = :clientId AND t.outcome IS NOT NULL', { clientId })
        .andWhere(`t.endedAt > ${fromNow(dialect, -windowMs)}`)
        .groupBy('t.outcome')
        .getRawMany<{ outcome: AttemptOutcome; total: string | number }>(),
    );
    const counted = new Map(rows.map(({ outcome, total }) => [outcome, Number(total)]));
    return Object.fromEntries(
      ATTEMPT_OUTCOMES.map((outcome) => [outcome, counted.get(outcome) ?? 0]),
    ) as Record<AttemptOutcome, number>;
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
