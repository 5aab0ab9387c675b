import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { AuthorizationEntity } from './authorization.entity.js';
import { epochMs } from './epoch-ms.transformer.js';

/** Which of the application's owners may use which authorization. */
@Entity({ name: 'notion_authorization_owner' })
@Index('notion_authorization_owner_ix', ['ownerId'])
export class AuthorizationOwnerEntity {
  @PrimaryColumn({
    name: 'authorization_id',
    type: 'varchar',
    length: 36,
    primaryKeyConstraintName: 'notion_authorization_owner_pk',
  })
  @ForeignKey(() => AuthorizationEntity, { name: 'notion_authorization_owner_fk', onDelete: 'CASCADE' })
  authorizationId!: string;

  @PrimaryColumn({
    name: 'owner_id',
    type: 'varchar',
    length: 255,
    primaryKeyConstraintName: 'notion_authorization_owner_pk',
  })
  ownerId!: string;

  @Column({ name: 'linked_at', type: 'bigint', transformer: epochMs })
  linkedAt!: number;
}
