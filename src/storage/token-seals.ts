import { AccessToken, type Secret } from '../domain/secret.js';
import { NotionKeyError } from '../domain/errors.js';
import type { SealContext, TokenCipher } from '../domain/token-cipher.js';
import type { AuthorizationEntity } from './authorization.entity.js';
import type { RevocationEntity } from './revocation.entity.js';

type SealedColumn = 'sealed_access_token' | 'sealed_refresh_token';
type RevocationIdentity = Pick<RevocationEntity, 'id' | 'clientId'>;
type RowIdentity = Pick<AuthorizationEntity, 'id' | 'clientId' | 'version'>;

/** The token columns of one version of a row, ready to be written. */
export interface SealedPair {
  readonly sealedAccessToken: string;
  readonly sealedRefreshToken: string | null;
  readonly keyId: string;
}

/** Binds every sealed token to its row, its column, the client id and the version of its pair. */
export class TokenSeals {
  constructor(private readonly cipher: TokenCipher) {}

  /** Ids of every key that opens. */
  get keyIds(): readonly string[] {
    return this.cipher.keyIds;
  }

  seal(row: RowIdentity, pair: { accessToken: Secret; refreshToken: Secret | null }): SealedPair {
    const { accessToken, refreshToken } = pair;
    return {
      sealedAccessToken: this.cipher.seal(accessToken, sealContextOf(row, 'sealed_access_token')),
      sealedRefreshToken:
        refreshToken === null
          ? null
          : this.cipher.seal(refreshToken, sealContextOf(row, 'sealed_refresh_token')),
      keyId: this.cipher.sealingKeyId,
    };
  }

  /** @throws {@link NotionKeyError} */
  accessToken(row: AuthorizationEntity): AccessToken | null {
    if (row.sealedAccessToken === null) return null;
    const token = this.cipher.open(row.sealedAccessToken, sealContextOf(row, 'sealed_access_token'));
    const { id, version, botId, workspaceId } = row;
    return new AccessToken(token.reveal(), id, version, false, { botId, workspaceId });
  }

  /** @throws {@link NotionKeyError} */
  refreshToken(row: AuthorizationEntity): Secret | null {
    if (row.sealedRefreshToken === null) return null;
    return this.cipher.open(row.sealedRefreshToken, sealContextOf(row, 'sealed_refresh_token'));
  }

  sealRevocation(row: RevocationIdentity, token: Secret): Pick<RevocationEntity, 'sealedToken' | 'keyId'> {
    return {
      sealedToken: this.cipher.seal(token, revocationContext(row)),
      keyId: this.cipher.sealingKeyId,
    };
  }

  /** @throws {@link NotionKeyError} */
  revocationToken(row: RevocationEntity): Secret {
    return this.cipher.open(row.sealedToken, revocationContext(row));
  }

  /** For steps that must not fail because a key is gone: what cannot be opened is as good as not there. */
  unlessKeyIsLost<T>(open: () => T): T | null {
    try {
      return open();
    } catch (error) {
      if (error instanceof NotionKeyError) return null;
      throw error;
    }
  }

  /**
   * For the row that it is written to, as SQL: keyed like the tokens of that row, whichever key they are under by then.
   * So the two are re-encrypted together, and neither needs a key that the other does not.
   */
  fingerprint(refreshToken: Secret): () => string {
    const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const branches = this.keyIds.map(
      (keyId) => `WHEN ${literal(keyId)} THEN ${literal(this.cipher.fingerprint(refreshToken, keyId))}`,
    );
    const byDefault = literal(this.cipher.fingerprint(refreshToken));
    return () => `CASE key_id ${branches.join(' ')} ELSE ${byDefault} END`;
  }

  isFingerprintOf(refreshToken: Secret, fingerprint: string): boolean {
    return this.cipher.recognises(refreshToken, fingerprint);
  }
}

export function sealContextOf(row: RowIdentity, column: SealedColumn): SealContext {
  return {
    table: 'notion_authorization',
    column,
    rowId: row.id,
    clientId: row.clientId,
    version: row.version,
  };
}

/** Its token is written once and never replaced, so there is only one version. */
export function webhookTokenContext({ id, clientId }: RevocationIdentity): SealContext {
  return { table: 'notion_webhook_token', column: 'sealed_token', rowId: id, clientId, version: 1 };
}

/** As {@link webhookTokenContext}. */
export function revocationContext({ id, clientId }: RevocationIdentity): SealContext {
  return { table: 'notion_revocation', column: 'sealed_token', rowId: id, clientId, version: 1 };
}
