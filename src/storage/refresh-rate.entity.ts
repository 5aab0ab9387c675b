import { Column, Entity, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/** The rate that all processes share: how far its turns are booked. */
@Entity({ name: 'notion_refresh_rate' })
export class RefreshRateEntity {
  @PrimaryColumn({
    name: 'client_id',
    type: 'varchar',
    length: 128,
    primaryKeyConstraintName: 'notion_refresh_rate_pk',
  })
  clientId!: string;

  /** Epoch microseconds: at a thousand turns a second, milliseconds would round each of them. */
  @Column({ name: 'next_turn_us', type: 'bigint', transformer: epochMs })
  nextTurnUs!: number;
}
