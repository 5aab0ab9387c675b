import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { SealContext } from '../domain/token-cipher.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { RevocationEntity } from './revocation.entity.js';
import { revocationContext, sealContextOf, webhookTokenContext } from './token-seals.js';
import { WebhookTokenEntity } from './webhook-token.entity.js';

/** A row that holds envelopes, all of them under one key. */
export interface SealedRow extends ObjectLiteral {
  readonly id: string;
  readonly keyId: string | null;
}

/** Which columns of a table hold envelopes, and what each of them is bound to. */
export interface SealedTable {
  readonly name: string;
  readonly entity: EntityTarget<SealedRow>;
  /** Properties of the entity, and the context of each. */
  readonly envelopes: Readonly<Record<string, (row: never) => SealContext>>;
  /** Properties that hold the fingerprint of a secret, and the property of that secret's envelope. */
  readonly fingerprints: Readonly<Record<string, string>>;
}

function sealedTable<Row extends SealedRow>(
  name: string,
  entity: EntityTarget<Row>,
  envelopes: Readonly<Partial<Record<keyof Row & string, (row: Row) => SealContext>>>,
  fingerprints?: Readonly<Partial<Record<keyof Row & string, keyof Row & string>>>,
): SealedTable {
  return {
    name,
    entity,
    envelopes: envelopes as SealedTable['envelopes'],
    fingerprints: (fingerprints ?? {}) as SealedTable['fingerprints'],
  };
}

/** Every table with sealed columns, in the order in which they are sealed anew. One that is missing here stays behind. */
export const SEALED_TABLES: readonly SealedTable[] = [
  sealedTable(
    'notion_authorization',
    AuthorizationEntity,
    {
      sealedAccessToken: (row) => sealContextOf(row, 'sealed_access_token'),
      sealedRefreshToken: (row) => sealContextOf(row, 'sealed_refresh_token'),
    },
    { refusedRefreshTokenFingerprint: 'sealedRefreshToken' },
  ),
  sealedTable('notion_revocation', RevocationEntity, { sealedToken: revocationContext }),
  sealedTable('notion_webhook_token', WebhookTokenEntity, { sealedToken: webhookTokenContext }),
];
