import { randomUUID } from 'node:crypto';
import { Secret } from 'nestjs-notion-auth';
import type { EntityManager } from 'typeorm';
import type { TokenCipher } from '../../src/domain/token-cipher.js';
import type { NotionDatabase } from '../../src/storage/notion-database.js';
import { TokenSeals } from '../../src/storage/token-seals.js';

const ROWS_PER_STATEMENT = 5_000;
const HOUR_MS = 3_600_000;

export interface ManyAuthorizations {
  readonly database: NotionDatabase;
  readonly cipher: TokenCipher;
  readonly clientId: string;
  readonly ownerId: string;
  /** One for each authorization. */
  readonly pairs: readonly { readonly accessToken: string; readonly refreshToken: string | null }[];
}

/**
 * Authorizations in SQLite as connects would leave them, an hour old, in a fraction of the time.
 * @returns their ids, in the order of the pairs.
 */
export async function storeMany(many: ManyAuthorizations): Promise<string[]> {
  const seals = new TokenSeals(many.cipher);
  const rows = many.pairs.map((pair) => rowOf(many, pair, seals));
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const some = rows.slice(from, from + ROWS_PER_STATEMENT);
    const links = some.map(({ id }) => ({
      authorization_id: id,
      owner_id: many.ownerId,
      linked_at: Date.now(),
    }));
    await many.database.transaction(async ({ manager }) => {
      await insertAll(manager, 'notion_authorization', some);
      await insertAll(manager, 'notion_authorization_owner', links);
    });
  }
  return rows.map(({ id }) => id);
}

/** One parameter for all rows: TypeORM's own inserts of a hundred thousand take a minute. */
async function insertAll(manager: EntityManager, table: string, rows: readonly object[]): Promise<void> {
  const columns = Object.keys(rows[0]!);
  const values = columns.map((column) => `value ->> '$.${column}'`);
  await manager.query(
    `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM json_each(?)`,
    [JSON.stringify(rows)],
  );
}

function rowOf(
  { clientId }: ManyAuthorizations,
  pair: ManyAuthorizations['pairs'][number],
  seals: TokenSeals,
) {
  const id = randomUUID();
  const storedAt = Date.now() - HOUR_MS;
  const sealed = seals.seal(
    { id, clientId, version: 1 },
    {
      accessToken: new Secret(pair.accessToken),
      refreshToken: pair.refreshToken === null ? null : new Secret(pair.refreshToken),
    },
  );
  return {
    id,
    client_id: clientId,
    bot_id: randomUUID(),
    workspace_id: randomUUID(),
    owner_kind: 'user',
    owner_user_id: randomUUID(),
    redirect_uri: 'https://app.example/notion/callback',
    status: 'active',
    status_since: storedAt,
    version: 1,
    sealed_access_token: sealed.sealedAccessToken,
    sealed_refresh_token: sealed.sealedRefreshToken,
    key_id: sealed.keyId,
    refresh_token_kept: 0,
    pair_stored_at: storedAt,
    unresolved_replayed: 0,
    created_at: storedAt,
    updated_at: storedAt,
  };
}
