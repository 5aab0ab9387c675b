import { afterAll, beforeAll } from '@jest/globals';
import { RefreshAttemptEntity } from '../../src/storage/refresh-attempt.entity.js';
import { AuthorizationEntity } from '../../src/storage/authorization.entity.js';
import { openStorage, type StorageEngine, type TestStorage } from './storage.harness.js';

/** Opens a database for the tests of a `describe`, and closes it after them. */
export function useStorage(engine: StorageEngine): () => TestStorage {
  let storage: TestStorage | undefined;
  beforeAll(async () => {
    storage = await openStorage(engine);
  });
  afterAll(async () => {
    await storage?.close();
  });
  return () => storage!;
}

/** The row as it stands, sealed columns included. */
export async function rowOf({ database }: TestStorage, id: string): Promise<AuthorizationEntity> {
  return database.read(({ manager }) =>
    manager
      .createQueryBuilder(AuthorizationEntity, 'a')
      .addSelect(['a.sealedAccessToken', 'a.sealedRefreshToken'])
      .where('a.id = :id', { id })
      .getOneOrFail(),
  );
}

/** The attempts on an authorization, oldest first. */
export async function attemptsOn({ database }: TestStorage, id: string): Promise<RefreshAttemptEntity[]> {
  return database.read(({ manager }) =>
    manager
      .createQueryBuilder(RefreshAttemptEntity, 't')
      .where('t.authorizationId = :id', { id })
      .orderBy('t.startedAt')
      .getMany(),
  );
}

export function run({ database }: TestStorage, statement: string): Promise<unknown> {
  return database.read(({ manager }) => manager.query(statement));
}
