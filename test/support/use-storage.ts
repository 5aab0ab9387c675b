import { afterAll, beforeAll } from '@jest/globals';
import type { TokenPair } from '../../src/domain/authorization.js';
import type { PendingRevocation } from '../../src/domain/revocation-outbox.js';
import { RefreshAttemptEntity } from '../../src/storage/refresh-attempt.entity.js';
import { RevocationEntity } from '../../src/storage/revocation.entity.js';
import { AuthorizationEntity } from '../../src/storage/authorization.entity.js';
import { EventEntity } from '../../src/storage/event.entity.js';
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

/** The names of the events about an authorization, oldest first. */
export async function eventsOf({ database }: TestStorage, id: string): Promise<string[]> {
  const events = await database.read(({ manager }) =>
    manager
      .createQueryBuilder(EventEntity, 'e')
      .where('e.authorizationId = :id', { id })
      .orderBy('e.createdAt')
      .getMany(),
  );
  return events.map(({ name }) => name);
}

/** What the outbox holds for an authorization. */
export async function revocationsOf({ database }: TestStorage, id: string): Promise<RevocationEntity[]> {
  return database.read(({ manager }) =>
    manager
      .createQueryBuilder(RevocationEntity, 'r')
      .addSelect('r.sealedToken')
      .where('r.authorizationId = :id', { id })
      .getMany(),
  );
}

export function revealed(revocations: readonly PendingRevocation[]): string[] {
  return revocations.map(({ token }) => token.reveal());
}

export function revealedPair({ accessToken, refreshToken }: TokenPair): string[] {
  return [accessToken, refreshToken].flatMap((token) => (token === null ? [] : [token.reveal()]));
}

const TIMES = ['lease_until', 'next_attempt_at', 'unresolved_since', 'attempt_started_at', 'pair_stored_at'];

/** Every time of an authorization's row is that much longer ago, as if the test had waited. */
export function letTimePass(storage: TestStorage, id: string, ms: number): Promise<unknown> {
  const earlier = TIMES.map((column) => `${column} = ${column} - ${String(ms)}`).join(', ');
  return run(storage, `UPDATE notion_authorization SET ${earlier} WHERE id = '${id}'`);
}

export function run({ database }: TestStorage, statement: string): Promise<unknown> {
  return database.read(({ manager }) => manager.query(statement));
}
