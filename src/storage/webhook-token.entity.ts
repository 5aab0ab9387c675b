import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/** A place for one verification token: empty while its pairing window is open, or once it has closed unused. */
@Entity({ name: 'notion_webhook_token' })
@Index('notion_webhook_token_client_ix', ['clientId'])
export class WebhookTokenEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'notion_webhook_token_pk' })
  id!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  /** Sealed and bound to this row; plaintext never reaches it. */
  @Column({ name: 'sealed_token', type: 'text', nullable: true, select: false })
  sealedToken!: string | null;

  @Column({ name: 'key_id', type: 'varchar', length: 64, nullable: true })
  keyId!: string | null;

  @Column({ name: 'open_until', type: 'bigint', transformer: epochMs })
  openUntil!: number;

  @Column({ name: 'paired_at', type: 'bigint', nullable: true, transformer: epochMs })
  pairedAt!: number | null;
}
