import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AttemptHistory, DURATION_CLASSES_MS, type AttemptTally } from '../domain/attempt-history.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import type { DatabaseSession } from './database-sessions.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

interface TallyRow {
  readonly outcome: AttemptOutcome;
  readonly code: string | null;
  readonly duration_class: string | number | null;
  readonly total: string | number;
}

/** The attempt journal of the configured client id. */
@Injectable()
export class TypeOrmAttemptHistory extends AttemptHistory {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async tally(from: Date, to: Date): Promise<readonly AttemptTally[]> {
    const window = { clientId: this.config.clientId, from: from.getTime(), to: to.getTime() };
    const rows = await this.database.read((session) => tallies(session, window));
    return rows.map(({ outcome, code, duration_class: durationClass, total }) => ({
      outcome,
      code,
      durationClass: durationClass === null ? null : Number(durationClass),
      total: Number(total),
    }));
  }
}

function tallies({ manager }: DatabaseSession, window: object): Promise<TallyRow[]> {
  const ended = manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .select('t.outcome', 'outcome')
    .addSelect('t.failureCode', 'code')
    .addSelect(durationClassOf('t.upstreamMs'), 'duration_class')
    .where('t.clientId = :clientId AND t.outcome IS NOT NULL')
    .andWhere('t.endedAt >= :from AND t.endedAt < :to');
  return manager
    .createQueryBuilder()
    .select('e.outcome', 'outcome')
    .addSelect('e.code', 'code')
    .addSelect('e.duration_class', 'duration_class')
    .addSelect('COUNT(*)', 'total')
    .from(`(${ended.getQuery()})`, 'e')
    .setParameters(window)
    .groupBy('e.outcome')
    .addGroupBy('e.code')
    .addGroupBy('e.duration_class')
    .getRawMany<TallyRow>();
}

function durationClassOf(column: string): string {
  const classes = DURATION_CLASSES_MS.map(
    (upToMs, index) => `WHEN ${column} <= ${String(upToMs)} THEN ${String(index)}`,
  );
  return `CASE WHEN ${column} IS NULL THEN NULL ${classes.join(' ')} ELSE ${String(DURATION_CLASSES_MS.length)} END`;
}
