import { QueryFailedError } from 'typeorm';
import { NotionStorageUnsupportedError } from '../domain/errors.js';
import type { NotionDatabase } from './notion-database.js';
import { notionAuthEntities } from './storage-schema.js';

/** Codes of a missing table or column: PostgreSQL, MySQL. */
const MISSING = new Set<unknown>(['42P01', '42703', 1146, 1054]);

/** @throws {@link NotionStorageUnsupportedError} naming the command that creates what is missing. */
export async function requireSchema(database: NotionDatabase): Promise<void> {
  for (const entity of notionAuthEntities) {
    await database
      .read(async ({ manager }) => {
        const columns = database.dataSource
          .getMetadata(entity)
          .columns.map(({ propertyName }) => `t.${propertyName}`);
        await manager.createQueryBuilder<object>(entity, 't').select(columns).where('1 = 0').getRawMany();
      })
      .catch((error: unknown) => {
        throw isMissing(error) ? missingSchema(error) : error;
      });
  }
}

function missingSchema(cause: unknown): NotionStorageUnsupportedError {
  return new NotionStorageUnsupportedError(
    'The Notion tables are missing or older than this version of nestjs-notion-auth. Run the migrations ' +
      '(npm run migration:run, or the option runMigrations: true) and start again.',
    { cause },
  );
}

/** Whether a statement failed because a table or column is not there. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, errno } = error.driverError as { code?: string; errno?: number };
  return MISSING.has(code) || MISSING.has(errno) || /no such (table|column)/.test(error.message);
}
