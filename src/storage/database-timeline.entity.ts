import { Column, Entity, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/** Which server wrote the data last. On a promoted standby or a restored backup it names another than answers. */
@Entity({ name: 'notion_database_timeline' })
export class DatabaseTimelineEntity {
  @PrimaryColumn({
    name: 'client_id',
    type: 'varchar',
    length: 128,
    primaryKeyConstraintName: 'notion_database_timeline_pk',
  })
  clientId!: string;

  @Column({ type: 'varchar', length: 255 })
  timeline!: string;

  /** When another server was found to answer; `null` while it is still the first. */
  @Column({ name: 'changed_at', type: 'bigint', nullable: true, transformer: epochMs })
  changedAt!: number | null;
}
