import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/** A webhook event that has come. Its id and nothing of what it says. */
@Entity({ name: 'notion_webhook_event' })
@Index('notion_webhook_event_age_ix', ['clientId', 'receivedAt'])
export class WebhookEventEntity {
  @PrimaryColumn({
    name: 'client_id',
    type: 'varchar',
    length: 128,
    primaryKeyConstraintName: 'notion_webhook_event_pk',
  })
  clientId!: string;

  @PrimaryColumn({
    name: 'event_id',
    type: 'varchar',
    length: 64,
    primaryKeyConstraintName: 'notion_webhook_event_pk',
  })
  eventId!: string;

  @Column({ name: 'received_at', type: 'bigint', transformer: epochMs })
  receivedAt!: number;
}
