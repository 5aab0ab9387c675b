import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { PostgresServer } from '../../proofs/harness/postgres.server.js';
import { SeededRandom } from '../../proofs/harness/seeded.random.js';
import { SystemClock } from '../../src/domain/clock.js';
import { Secret } from '../../src/domain/secret.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { TypeOrmDatabaseWatch } from '../../src/storage/typeorm-database.watch.js';
import {
  CLIENT_ID,
  claimed,
  claimOf,
  connectSome,
  openDataSource,
  somePair,
  storageProcess,
  testCipher,
  type StorageProcess,
} from '../support/storage.harness.js';

const SUCCESS = { outcome: 'success' } as const;

describe('a PostgreSQL server that goes away', () => {
  const leftovers = new Leftovers();
  const cipher = testCipher();
  const opened: DataSource[] = [];
  let server: PostgresServer;
  let storage: StorageProcess;

  async function join(): Promise<StorageProcess> {
    const options = ownDataSourceOptions({ databaseUrl: new Secret(server.urlOf()), databaseFile: '' });
    const dataSource = await openDataSource({ ...options, logging: false });
    opened.push(dataSource);
    return storageProcess(await prepareDatabase(dataSource, { owned: true, runMigrations: true }), cipher);
  }

  beforeAll(async () => {
    server = await PostgresServer.start(leftovers, { fsync: false });
    storage = await join();
  }, 60_000);

  afterAll(async () => {
    for (const dataSource of opened) await dataSource.destroy();
    await leftovers.clear();
  });

  it('is the same after a restart, for every process, and the watch says when to look', async () => {
    const watchOf = ({ database }: StorageProcess) =>
      new TypeOrmDatabaseWatch(database, { clientId: CLIENT_ID }, new SystemClock());
    const watch = watchOf(storage);
    const before = await watch.compare(60_000);
    expect(before).toMatch(/^\d+\/[0-9A-F]{8}$/);
    let changes = 0;
    watch.onConnectionChange(() => (changes += 1));
    await server.restartImmediately();
    expect(await watch.compare(60_000)).toBe(before);
    expect(changes).toBeGreaterThan(0);
    expect(await watchOf(await join()).compare(60_000)).toBe(before);
    const { id } = await connectSome(storage.store);
    expect(await claimOf(storage.store, id)).toMatchObject({ kind: 'claimed' });
  });

  it('holds every claim, and outranks forgotten versions, once another server answers with its data', async () => {
    const { store } = storage;
    const { id, connection } = await connectSome(store);
    // What a standby that was promoted, or a restored backup, finds in its data: somebody else's name.
    await server.query(`UPDATE notion_database_timeline SET timeline = 'another server'`);
    await new TypeOrmDatabaseWatch(storage.database, { clientId: CLIENT_ID }, new SystemClock()).compare(
      1_500,
    );
    expect(await claimOf(store, id)).toMatchObject({ kind: 'postponed', gate: 'failover' });
    const reconnected = await store.connect({ ...connection, pair: somePair() });
    const { version } = (reconnected as { authorization: { version: number } }).authorization;
    expect(version).toBeGreaterThan(50_000_000);
    await sleep(1_600);
    expect(await claimOf(store, id, version)).toMatchObject({ kind: 'claimed' });
  });

  it('takes the stores nothing but a moment when it restarts under them', async () => {
    const { store } = storage;
    const { id } = await connectSome(store);
    for (let version = 1; version <= 3; version += 1) {
      const claim = await claimed(store, id, version);
      const restarted = server.restartImmediately();
      let verdict;
      // As the refresh does: from the answer on, the write is repeated until it succeeds.
      while (verdict === undefined) {
        verdict = await store.storePair(claim, somePair(), SUCCESS).catch(() => undefined);
      }
      await restarted;
      expect(verdict).toEqual({ stored: true, version: version + 1 });
    }
  });

  it('ends no process, and loses no pair, when its sessions are killed again and again', async () => {
    const { store } = storage;
    const random = new SeededRandom(randomBytes(4).readUInt32BE());
    const ids = await Promise.all(Array.from({ length: 12 }, async () => (await connectSome(store)).id));
    const startedMs = performance.now();
    let highest = 1;
    // Two seconds, and on a slow machine until enough has been stored to say something.
    const goesOn = () => {
      const tookMs = performance.now() - startedMs;
      return tookMs < 2_000 || (highest <= 5 && tookMs < 30_000);
    };
    const killing = (async () => {
      while (goesOn()) {
        await server.killSessions(random, 0.6);
        await sleep(40);
      }
    })();
    const rounds = ids.map(async (id) => {
      let [version, failures] = [1, 0];
      while (goesOn()) {
        try {
          const claim = await claimed(store, id, version);
          let verdict;
          while (verdict === undefined) {
            verdict = await store.storePair(claim, somePair(), SUCCESS).catch(() => undefined);
          }
          expect(verdict).toEqual({ stored: true, version: version + 1 });
          version += 1;
          highest = Math.max(highest, version);
        } catch (error) {
          if (!/connection|terminat|released|ECONNRESET/i.test(String(error))) throw error;
          failures += 1;
        }
      }
      return { version, failures };
    });
    const [ended] = await Promise.all([Promise.all(rounds), killing]);
    const versions = await store.readVersions(ids);
    expect(ids.map((id) => versions.get(id))).toEqual(ended.map(({ version }) => version));
    expect(highest).toBeGreaterThan(5);
  });
});
