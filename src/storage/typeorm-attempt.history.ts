import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  AttemptHistory,
  DURATION_CLASSES_MS,
  type AttemptTally,
  type TallyWindow,
} from '../domain/attempt-history.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import type { DatabaseSession } from './database-sessions.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

interface TallyRow {
  readonly bucket_ms: string | number;
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

  override async tally(window: TallyWindow): Promise<readonly AttemptTally[]> {
    const { clientId } = this.config;
    const rows = await this.database.read((session) => tallies(session, clientId, window));
    return rows.map(({ bucket_ms: bucketMs, outcome, code, duration_class: durationClass, total }) => ({
      bucketMs: Number(bucketMs),
      outcome,
      code,
      durationClass: durationClass === null ? null : Number(durationClass),
      total: Number(total),
    }));
  }
}

function tallies(
  { manager }: DatabaseSession,
  clientId: string,
  { from, to, widthMs }: TallyWindow,
): Promise<TallyRow[]> {
  const ended = manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .select(`t.endedAt - t.endedAt % ${String(widthMs)}`, 'bucket_ms')
    .addSelect('t.outcome', 'outcome')
    .addSelect('t.failureCode', 'code')
    .addSelect(durationClassOf('t.upstreamMs'), 'duration_class')
    .where('t.clientId = :clientId AND t.outcome IS NOT NULL')
    .andWhere('t.endedAt >= :from AND t.endedAt < :to');
  return manager
    .createQueryBuilder()
    .select('e.bucket_ms', 'bucket_ms')
    .addSelect('e.outcome', 'outcome')
    .addSelect('e.code', 'code')
    .addSelect('e.duration_class', 'duration_class')
    .addSelect('COUNT(*)', 'total')
    .from(`(${ended.getQuery()})`, 'e')
    .setParameters({ clientId, from: from.getTime(), to: to.getTime() })
    .groupBy('e.bucket_ms')
    .addGroupBy('e.outcome')
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
