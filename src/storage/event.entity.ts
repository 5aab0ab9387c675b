import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { NotionEventName } from '../domain/notion-event.js';
import { epochMs } from './epoch-ms.transformer.js';

/** An event to be delivered, or delivered and kept so that it is not raised again. Holds no secret. */
@Entity({ name: 'notion_event' })
@Index('notion_event_due_ix', ['clientId', 'name', 'nextDeliveryAt'])
@Index('notion_event_age_ix', ['clientId', 'createdAt'])
export class EventEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'notion_event_pk' })
  id!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  @Column({ type: 'varchar', length: 32 })
  name!: NotionEventName;

  @Column({ name: 'authorization_id', type: 'varchar', length: 36, nullable: true })
  authorizationId!: string | null;

  @Column({ type: 'varchar', length: 32, nullable: true })
  reason!: string | null;

  /** Who left, for an authorization that has no owners any more. */
  @Column({ name: 'owner_id', type: 'varchar', length: 255, nullable: true })
  ownerId!: string | null;

  @Column({ type: 'integer' })
  deliveries!: number;

  /** While a process delivers, the end of its claim; `NULL` when it is delivered. */
  @Column({ name: 'next_delivery_at', type: 'bigint', nullable: true, transformer: epochMs })
  nextDeliveryAt!: number | null;

  @Column({ name: 'created_at', type: 'bigint', transformer: epochMs })
  createdAt!: number;
}
