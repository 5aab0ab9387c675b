import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { SealedSecrets, type ResealBatch, type ResealedBatch } from '../domain/sealed-secrets.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { harmlessTwice } from './database-sessions.js';
import { NotionDatabase } from './notion-database.js';
import { resealRows } from './reseal.js';
import { SEALED_TABLES, type SealedTable } from './sealed-table.js';

@Injectable()
export class TypeOrmSealedSecrets extends SealedSecrets {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    private readonly cipher: TokenCipher,
  ) {
    super();
  }

  override async countByKey(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const table of SEALED_TABLES) {
      for (const { keyId, rows } of await this.countIn(table)) {
        counts.set(keyId, (counts.get(keyId) ?? 0) + rows);
      }
    }
    return counts;
  }

  override async reseal({ keyId, after, limit }: ResealBatch): Promise<ResealedBatch> {
    const first = after === null ? 0 : SEALED_TABLES.findIndex(({ name }) => name === after.table);
    for (const [index, table] of [...SEALED_TABLES.entries()].slice(first)) {
      const afterId = index === first && after !== null ? after.rowId : null;
      const { lastId, ...counts } = await this.database.transaction(
        (session) =>
          resealRows(
            { ...session, clientId: this.config.clientId, cipher: this.cipher },
            table,
            { keyId, limit },
            afterId,
          ),
        { confirm: harmlessTwice },
      );
      if (lastId !== null) return { ...counts, last: { table: table.name, rowId: lastId } };
    }
    return { resealed: 0, unreadable: 0, last: null };
  }

  private async countIn({ entity }: SealedTable): Promise<{ keyId: string; rows: number }[]> {
    const { clientId } = this.config;
    const found = await this.database.read(({ manager }) =>
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
}
