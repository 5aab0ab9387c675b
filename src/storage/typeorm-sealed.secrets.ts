import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { SealedSecrets, type ResealBatch, type ResealedBatch } from '../domain/sealed-secrets.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { harmlessTwice } from './database-sessions.js';
import { countByKey } from './key-counts.js';
import { NotionDatabase } from './notion-database.js';
import { resealRows } from './reseal.js';
import { SEALED_TABLES } from './sealed-table.js';

@Injectable()
export class TypeOrmSealedSecrets extends SealedSecrets {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    private readonly cipher: TokenCipher,
  ) {
    super();
  }

  override countByKey(): Promise<ReadonlyMap<string, number>> {
    return countByKey(this.database, this.config.clientId);
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
}
