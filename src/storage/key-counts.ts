import type { NotionDatabase } from './notion-database.js';
import { SEALED_TABLES, type SealedTable } from './sealed-table.js';

/** Rows of the client that each encryption key seals, over all tables with sealed columns. */
export async function countByKey(
  database: NotionDatabase,
  clientId: string,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const table of SEALED_TABLES) {
    for (const { keyId, rows } of await countIn(database, clientId, table)) {
      counts.set(keyId, (counts.get(keyId) ?? 0) + rows);
    }
  }
  return counts;
}

async function countIn(
  database: NotionDatabase,
  clientId: string,
  { entity }: SealedTable,
): Promise<{ keyId: string; rows: number }[]> {
  const found = await database.read(({ manager }) =>
    manager
      .createQueryBuilder(entity, 'r')
      .select('r.keyId', 'key_id')
      .addSelect('COUNT(*)', 'row_count')
      .where('r.clientId = :clientId AND r.keyId IS NOT NULL', { clientId })
      .groupBy('r.keyId')
      .getRawMany<{ key_id: string; row_count: string | number }>(),
  );
  return found.map(({ key_id: keyId, row_count: rows }) => ({ keyId, rows: Number(rows) }));
}
