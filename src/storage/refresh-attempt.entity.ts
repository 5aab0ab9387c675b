import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { AttemptOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { epochMs } from './epoch-ms.transformer.js';

/** The attempt journal. It outlives what it tells of: no foreign key, and pruned by age only. */
@Entity({ name: 'notion_refresh_attempt' })
@Index('notion_refresh_attempt_ended_ix', ['clientId', 'endedAt', 'outcome'])
@Index('notion_refresh_attempt_started_ix', ['clientId', 'startedAt'])
@Index('notion_refresh_attempt_authorization_ix', ['authorizationId', 'startedAt'])
export class RefreshAttemptEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'notion_refresh_attempt_pk' })
  id!: string;

  @Column({ name: 'authorization_id', type: 'varchar', length: 36 })
  authorizationId!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  @Column({ name: 'triggered_by', type: 'varchar', length: 16 })
  triggeredBy!: RefreshTrigger;

  @Column({ name: 'spent_version', type: 'integer' })
  spentVersion!: number;

  /** The process that made the attempt. */
  @Column({ name: 'attempt_owner', type: 'varchar', length: 128 })
  attemptOwner!: string;

  /** An earlier attempt on the same version was unresolved when this one began. */
  @Column({ name: 'is_recovering', type: 'boolean' })
  isRecovering!: boolean;

  @Column({ name: 'started_at', type: 'bigint', transformer: epochMs })
  startedAt!: number;

  @Column({ name: 'ended_at', type: 'bigint', nullable: true, transformer: epochMs })
  endedAt!: number | null;

  /** `null` while under way. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  outcome!: AttemptOutcome | null;

  @Column({ name: 'http_status', type: 'integer', nullable: true })
  httpStatus!: number | null;

  @Column({ name: 'failure_code', type: 'varchar', length: 64, nullable: true })
  failureCode!: string | null;

  @Column({ name: 'request_id', type: 'varchar', length: 128, nullable: true })
  requestId!: string | null;

  @Column({ name: 'upstream_ms', type: 'integer', nullable: true })
  upstreamMs!: number | null;
}
