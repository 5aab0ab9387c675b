import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { epochMs } from './epoch-ms.transformer.js';

/**
 * Authorizations whose tenants must not probe the open mass-revocation breaker: their refresh token was rejected while
 * it was open, or they have just probed. A rejected one is marked `needs_reconnect` when the breaker closes.
 */
@Entity({ name: 'notion_breaker_suspect' })
@Index('notion_breaker_suspect_client_ix', ['clientId', 'rejected'])
export class BreakerSuspectEntity {
  @PrimaryColumn({
    name: 'authorization_id',
    type: 'varchar',
    length: 36,
    primaryKeyConstraintName: 'notion_breaker_suspect_pk',
  })
  authorizationId!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  @Column({ name: 'workspace_id', type: 'varchar', length: 128 })
  workspaceId!: string;

  /** The version whose refresh token was presented; a later version is another token pair. */
  @Column({ type: 'integer' })
  version!: number;

  /** Notion rejected the refresh token; `false` while the outcome of a probe is open or was another one. */
  @Column({ type: 'boolean' })
  rejected!: boolean;

  @Column({ name: 'noted_at', type: 'bigint', transformer: epochMs })
  notedAt!: number;
}
