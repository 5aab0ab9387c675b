import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { SECOND_MS } from '../domain/duration.js';
import { RateBudget } from '../domain/rate-budget.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshRateEntity } from './refresh-rate.entity.js';

const US_PER_SECOND = 1_000_000;
const US_PER_MS = US_PER_SECOND / SECOND_MS;

/** One row per client: the time of its next free turn. Each reservation moves it on in one statement. */
@Injectable()
export class TypeOrmRateBudget extends RateBudget {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override reserve(count: number, perSecond: number): Promise<number> {
    if (!(count > 0 && perSecond > 0)) throw new TypeError('A rate and a number of turns are positive.');
    const takenUs = Math.ceil((count * US_PER_SECOND) / perSecond);
    return this.database.transaction(
      async (session) => {
        if (!(await this.book(session, takenUs))) await this.open(session, takenUs);
        return this.waitForFirst(session, takenUs);
      },
      { repeatOnUniqueViolation: true, confirm: harmlessTwice },
    );
  }

  /** Turns that nobody booked in time are gone: an idle hour does not pay for a burst. */
  private async book({ manager, dialect }: DatabaseSession, takenUs: number): Promise<boolean> {
    const nowUs = `${dialect.now} * ${String(US_PER_MS)}`;
    const booked = await manager
      .createQueryBuilder()
      .update(RefreshRateEntity)
      .set({
        nextTurnUs: () =>
          `CASE WHEN next_turn_us > ${nowUs} THEN next_turn_us ELSE ${nowUs} END + ${String(takenUs)}`,
      })
      .where('client_id = :clientId', { clientId: this.config.clientId })
      .updateEntity(false)
      .callListeners(false)
      .execute();
    return booked.affected === 1;
  }

  private async open({ manager, dialect }: DatabaseSession, takenUs: number): Promise<void> {
    const nextTurnUs = () => `${dialect.now} * ${String(US_PER_MS)} + ${String(takenUs)}`;
    await manager
      .createQueryBuilder()
      .insert()
      .into(RefreshRateEntity)
      .values({ clientId: this.config.clientId, nextTurnUs })
      .updateEntity(false)
      .callListeners(false)
      .execute();
  }

  /** In the transaction that booked, so the row still says what was booked here. */
  private async waitForFirst({ manager, dialect }: DatabaseSession, takenUs: number): Promise<number> {
    const row = await manager
      .createQueryBuilder(RefreshRateEntity, 'r')
      .select(`r.nextTurnUs - ${String(takenUs)} - ${dialect.now} * ${String(US_PER_MS)}`, 'wait_us')
      .where('r.clientId = :clientId', { clientId: this.config.clientId })
      .getRawOne<{ wait_us: string | number }>();
    return Math.max(0, Number(row?.wait_us ?? 0) / US_PER_MS);
  }
}
