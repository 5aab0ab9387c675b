import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { epochMs } from './epoch-ms.transformer.js';

/** What holds back every refresh of a client. The row stays when the gate opens, so that it can be locked. */
@Entity({ name: 'notion_refresh_gate' })
export class RefreshGateEntity {
  @PrimaryColumn({
    name: 'client_id',
    type: 'varchar',
    length: 128,
    primaryKeyConstraintName: 'notion_refresh_gate_pk',
  })
  clientId!: string;

  @PrimaryColumn({ type: 'varchar', length: 32, primaryKeyConstraintName: 'notion_refresh_gate_pk' })
  gate!: RefreshGate;

  /** `null` while open. A gate that is probed stays closed after this time until a probe has opened it. */
  @Column({ name: 'closed_until', type: 'bigint', nullable: true, transformer: epochMs })
  closedUntil!: number | null;

  /** For people who read the table. */
  @Column({ name: 'closed_since', type: 'bigint', nullable: true, transformer: epochMs })
  closedSince!: number | null;

  /** When it last let refreshes pass again; outcomes from before no longer count against it. */
  @Column({ name: 'reset_at', type: 'bigint', nullable: true, transformer: epochMs })
  resetAt!: number | null;
}
