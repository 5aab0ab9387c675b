import 'reflect-metadata';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { createOwnDataSource, ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { TypeOrmAuthorizationStore } from '../../src/storage/typeorm-authorization.store.js';

/** What the parent sends a process of its own that uses the same database file. */
export interface StorageOrder {
  readonly databaseFile: string;
  readonly clientId: string;
  readonly key: string;
  /** Refreshed over and over; `null` to do no more than open the file. */
  readonly authorizationId: string | null;
  readonly rounds: number;
}

export interface StorageReport {
  readonly stored: number;
  readonly errors: readonly string[];
}

process.once('message', (order: StorageOrder) => {
  carryOut(order)
    .catch((error: unknown) => ({ stored: 0, errors: [String(error)] }))
    .then((report) => {
      process.send?.(report);
      process.disconnect();
    })
    .catch(() => {
      process.exitCode = 1;
    });
});

async function carryOut({
  databaseFile,
  clientId,
  key,
  authorizationId,
  rounds,
}: StorageOrder): Promise<StorageReport> {
  const options = ownDataSourceOptions({ databaseUrl: null, databaseFile });
  const dataSource = await (await createOwnDataSource(options)).initialize();
  const database = await prepareDatabase(dataSource, { owned: true, runMigrations: null });
  const cipher = new KeyRingCipher({ encryptionKeys: [{ id: 'test', key: new Secret(key) }] });
  const store = new TypeOrmAuthorizationStore(database, { clientId }, cipher);
  const errors: string[] = [];
  let stored = 0;
  for (let round = 0; authorizationId !== null && round < rounds; round += 1) {
    await refreshOnce(store, authorizationId, round).then(
      (renewed) => (stored += renewed ? 1 : 0),
      (error: unknown) => errors.push(String(error)),
    );
  }
  await dataSource.destroy();
  return { stored, errors };
}

async function refreshOnce(store: TypeOrmAuthorizationStore, id: string, round: number): Promise<boolean> {
  const seenVersion = (await store.readAccessToken(id))!.version;
  const result = await store.claim({ authorizationId: id, trigger: 'manual', seenVersion, leaseMs: 60_000 });
  if (result.kind !== 'claimed') return false;
  const token = `${String(process.pid)}-${String(round)}`;
  const pair = {
    accessToken: new Secret(`at-${token}`),
    refreshToken: new Secret(`rt-${token}`),
    expiresInMs: null,
  };
  return (await store.storePair(result.claim, pair, { outcome: 'success' })).stored;
}
