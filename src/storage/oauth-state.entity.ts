import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ConnectOutcome } from '../domain/connect-state-store.js';
import { epochMs } from './epoch-ms.transformer.js';

/** A connect under way. Holds hashes of `state` and of the browser's secret, never the values. */
@Entity({ name: 'notion_oauth_state' })
@Index('notion_oauth_state_expiry_ix', ['expiresAt'])
@Index('notion_oauth_state_owner_ix', ['clientId', 'ownerId', 'createdAt'])
export class OAuthStateEntity {
  @PrimaryColumn({
    name: 'state_hash',
    type: 'varchar',
    length: 64,
    primaryKeyConstraintName: 'notion_oauth_state_pk',
  })
  stateHash!: string;

  @Column({ name: 'browser_hash', type: 'varchar', length: 64 })
  browserHash!: string;

  @Column({ name: 'owner_id', type: 'varchar', length: 255 })
  ownerId!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  @Column({ name: 'redirect_uri', type: 'text' })
  redirectUri!: string;

  @Column({ name: 'return_to', type: 'text' })
  returnTo!: string;

  @Column({ name: 'reconnect_id', type: 'varchar', length: 36, nullable: true })
  reconnectId!: string | null;

  @Column({ name: 'created_at', type: 'bigint', transformer: epochMs })
  createdAt!: number;

  @Column({ name: 'expires_at', type: 'bigint', transformer: epochMs })
  expiresAt!: number;

  /** Kept until the row expires, so that a replay is told apart from a state nobody issued. */
  @Column({ name: 'used_at', type: 'bigint', nullable: true, transformer: epochMs })
  usedAt!: number | null;

  /** How the connect ended; `null` while that is not known. */
  @Column({ name: 'outcome', type: 'varchar', length: 16, nullable: true })
  outcome!: ConnectOutcome | null;
}
