import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { AuthorizationStatus, NotionOwnerKind, ReconnectReason } from '../domain/authorization.js';
import { epochMs } from './epoch-ms.transformer.js';

/**
 * - `in_flight`: the claim's holder may be sending; nobody else does before the lease is over.
 * - `unknown`: an attempt may have reached Notion and is not resolved yet.
 */
export type AttemptPhase = 'in_flight' | 'unknown';

/** One grant: its token pair, sealed, and the protocol's fields on the same row, so that one lock covers both. */
@Entity({ name: 'notion_authorization' })
@Unique('notion_authorization_bot_uq', ['clientId', 'botId'])
@Index('notion_authorization_grant_ix', ['clientId', 'workspaceId', 'ownerUserId'])
@Index('notion_authorization_key_ix', ['clientId', 'keyId', 'id'])
// Partial where the engine has partial indexes. Nothing that a claim changes stands in it, so a claim leaves it alone.
@Index('notion_authorization_due_ix', ['clientId', 'status', 'pairStoredAt', 'id'], {
  where: `status = 'active' AND sealed_refresh_token IS NOT NULL`,
})
@Index('notion_authorization_unresolved_ix', ['clientId', 'unresolvedSince'], {
  where: 'unresolved_since IS NOT NULL',
})
export class AuthorizationEntity {
  @PrimaryColumn({ type: 'varchar', length: 36, primaryKeyConstraintName: 'notion_authorization_pk' })
  id!: string;

  @Column({ name: 'client_id', type: 'varchar', length: 128 })
  clientId!: string;

  @Column({ name: 'bot_id', type: 'varchar', length: 128 })
  botId!: string;

  @Column({ name: 'workspace_id', type: 'varchar', length: 128 })
  workspaceId!: string;

  @Column({ name: 'workspace_name', type: 'text', nullable: true })
  workspaceName!: string | null;

  @Column({ name: 'workspace_icon', type: 'text', nullable: true })
  workspaceIcon!: string | null;

  @Column({ name: 'owner_kind', type: 'varchar', length: 16 })
  ownerKind!: NotionOwnerKind;

  @Column({ name: 'owner_user_id', type: 'varchar', length: 128, nullable: true })
  ownerUserId!: string | null;

  @Column({ name: 'duplicated_template_id', type: 'varchar', length: 128, nullable: true })
  duplicatedTemplateId!: string | null;

  @Column({ name: 'redirect_uri', type: 'text' })
  redirectUri!: string;

  @Column({ type: 'text', nullable: true })
  scopes!: string | null;

  @Column({ type: 'varchar', length: 16 })
  status!: AuthorizationStatus;

  @Column({ type: 'varchar', length: 32, nullable: true })
  reason!: ReconnectReason | null;

  @Column({ name: 'status_since', type: 'bigint', transformer: epochMs })
  statusSince!: number;

  @Column({ type: 'integer' })
  version!: number;

  /** Sealed and bound to this row, column and version; plaintext never reaches it. */
  @Column({ name: 'sealed_access_token', type: 'text', nullable: true, select: false })
  sealedAccessToken!: string | null;

  /** As {@link sealedAccessToken}. */
  @Column({ name: 'sealed_refresh_token', type: 'text', nullable: true, select: false })
  sealedRefreshToken!: string | null;

  /** The key that sealed both columns, so that rows per key can be counted without opening any. */
  @Column({ name: 'key_id', type: 'varchar', length: 64, nullable: true })
  keyId!: string | null;

  /** Notion gave no refresh token with the stored pair, and the one before it was kept. */
  @Column({ name: 'refresh_token_kept', type: 'boolean' })
  refreshTokenKept!: boolean;

  @Column({ name: 'pair_stored_at', type: 'bigint', transformer: epochMs })
  pairStoredAt!: number;

  @Column({ name: 'access_token_expires_at', type: 'bigint', nullable: true, transformer: epochMs })
  accessTokenExpiresAt!: number | null;

  @Column({ name: 'last_attempt_at', type: 'bigint', nullable: true, transformer: epochMs })
  lastAttemptAt!: number | null;

  @Column({ name: 'last_success_at', type: 'bigint', nullable: true, transformer: epochMs })
  lastSuccessAt!: number | null;

  /** The claim: who may send, or whose attempt is still unresolved. */
  @Column({ name: 'attempt_id', type: 'varchar', length: 36, nullable: true })
  attemptId!: string | null;

  /** The process that claimed, for people who read the table. */
  @Column({ name: 'attempt_owner', type: 'varchar', length: 128, nullable: true })
  attemptOwner!: string | null;

  @Column({ name: 'attempt_started_at', type: 'bigint', nullable: true, transformer: epochMs })
  attemptStartedAt!: number | null;

  @Column({ name: 'attempt_phase', type: 'varchar', length: 16, nullable: true })
  attemptPhase!: AttemptPhase | null;

  @Column({ name: 'lease_until', type: 'bigint', nullable: true, transformer: epochMs })
  leaseUntil!: number | null;

  @Column({ name: 'next_attempt_at', type: 'bigint', nullable: true, transformer: epochMs })
  nextAttemptAt!: number | null;

  /** When the first attempt on this version began whose outcome is not known: quarantine counts from here. */
  @Column({ name: 'unresolved_since', type: 'bigint', nullable: true, transformer: epochMs })
  unresolvedSince!: number | null;

  /** The refresh token was presented again since, and that outcome is unknown as well. */
  @Column({ name: 'unresolved_replayed', type: 'boolean' })
  unresolvedReplayed!: boolean;

  /** Keyed hash of the refresh token that Notion refused; it is never presented again (R16). */
  @Column({ name: 'refused_refresh_token_fingerprint', type: 'varchar', length: 128, nullable: true })
  refusedRefreshTokenFingerprint!: string | null;

  /**
   * When Notion issued the pair that the row's pairs descend from, or when the tokens were erased: an exchange from
   * before that replaces nothing. Refreshes leave it alone.
   */
  @Column({ name: 'granted_at', type: 'bigint', nullable: true, transformer: epochMs })
  grantedAt!: number | null;

  /** When an owner left last: an exchange from before that links no owner. */
  @Column({ name: 'owner_left_at', type: 'bigint', nullable: true, transformer: epochMs })
  ownerLeftAt!: number | null;

  @Column({ name: 'created_at', type: 'bigint', transformer: epochMs })
  createdAt!: number;

  @Column({ name: 'updated_at', type: 'bigint', transformer: epochMs })
  updatedAt!: number;
}
