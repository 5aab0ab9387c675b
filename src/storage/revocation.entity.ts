import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/**
 * A token that Notion is still to revoke. The one place where a token outlives its disconnect: without it nobody could
 * end the access that the person has ended here. Sealed, and gone as soon as Notion confirms.
 */
@Entity({ name: 'notion_revocation' })
@Index('notion_revocation_due_ix', ['clientId', 'nextAttemptAt'])
@Index('notion_revocation_authorization_ix', ['authorizationId'])
export class RevocationEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'notion_revocation_pk' })
  id!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  /** No foreign key: a token is to be revoked also when its authorization's row is gone. */
  @Column({ name: 'authorization_id', type: 'varchar', length: 36 })
  authorizationId!: string;

  /** Sealed and bound to this row; plaintext never reaches it. */
  @Column({ name: 'sealed_token', type: 'text', select: false })
  sealedToken!: string;

  @Column({ name: 'key_id', type: 'varchar', length: 64 })
  keyId!: string;

  @Column({ type: 'integer' })
  attempts!: number;

  /** While a process tries, the end of its claim. */
  @Column({ name: 'next_attempt_at', type: 'bigint', transformer: epochMs })
  nextAttemptAt!: number;

  @Column({ name: 'created_at', type: 'bigint', transformer: epochMs })
  createdAt!: number;
}
