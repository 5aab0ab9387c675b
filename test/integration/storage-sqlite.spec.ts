import { afterEach, describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type DataSourceOptions } from 'typeorm';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { dialectOf } from '../../src/storage/dialect.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import {
  claimed,
  CLIENT_ID,
  connectSome,
  openDataSource,
  somePair,
  storageProcess,
  temporaryFolder,
} from '../support/storage.harness.js';
import type { StorageOrder, StorageReport } from '../support/storage.process.js';

const PROCESS = resolve('build/test/support/storage.process.js');
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  closers.push(remove);
  return path;
}

async function open(options: DataSourceOptions): Promise<DataSource> {
  const dataSource = await openDataSource(options);
  closers.push(() => (dataSource.isInitialized ? dataSource.destroy() : Promise.resolve()));
  return dataSource;
}

async function embedded(databaseFile: string, environment = {}) {
  const dataSource = await open(ownDataSourceOptions({ databaseUrl: null, databaseFile }));
  return prepareDatabase(dataSource, { owned: true, runMigrations: null, environment });
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('the embedded SQLite file', () => {
  it('is readable by its owner only, together with its folder, WAL and shared memory', async () => {
    const root = await folder();
    const file = join(root, 'data', 'notion.sqlite');
    await connectSome(storageProcess(await embedded(file)).store);
    expect(await modeOf(join(root, 'data'))).toBe('700');
    expect((await readdir(join(root, 'data'))).sort()).toEqual([
      'notion.sqlite',
      'notion.sqlite-shm',
      'notion.sqlite-wal',
    ]);
    for (const name of ['', '-wal', '-shm']) expect(await modeOf(`${file}${name}`)).toBe('600');
  });

  it('is narrowed when it was there with a wider mode', async () => {
    const file = join(await folder(), 'notion.sqlite');
    await writeFile(file, '');
    await chmod(file, 0o644);
    await embedded(file);
    expect(await modeOf(file)).toBe('600');
  });

  it('is written ahead, fully synchronized, and waits for its turn', async () => {
    const { dataSource } = await embedded(join(await folder(), 'notion.sqlite'));
    expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await dataSource.query('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
    expect(await dataSource.query('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    // better-sqlite3 would block the whole process while it waits.
    const timeout = dataSource.options.type === 'better-sqlite3' ? 100 : 5_000;
    expect(await dataSource.query('PRAGMA busy_timeout')).toEqual([{ timeout }]);
  });

  it('holds no token in clear, not even in a page that was freed', async () => {
    const file = join(await folder(), 'notion.sqlite');
    const { store } = storageProcess(await embedded(file));
    const { id, connection } = await connectSome(store);
    const pair = somePair();
    await store.storePair(await claimed(store, id), pair, { outcome: 'success' });
    await store.disconnect(id, connection.ownerId);
    const secrets = [
      connection.pair.accessToken,
      connection.pair.refreshToken!,
      pair.accessToken,
      pair.refreshToken!,
    ];
    for (const name of ['', '-wal', '-shm']) {
      const bytes = await readFile(`${file}${name}`);
      for (const secret of secrets) {
        for (const form of [secret.reveal(), ...encodings(secret.reveal())])
          expect(bytes.includes(form)).toBe(false);
      }
    }
  });

  it('warns where a cluster is likely, and only there', async () => {
    const root = await folder();
    expect((await embedded(join(root, 'a.sqlite'))).warnings).toEqual([]);
    const { warnings } = await embedded(join(root, 'b.sqlite'), { KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    expect(warnings).toEqual([expect.stringContaining('NOTION_AUTH_DATABASE_URL')]);
  });

  it("is never the application's: its SQLite DataSource is refused", async () => {
    const host = await open(ownDataSourceOptions({ databaseUrl: null, databaseFile: ':memory:' }));
    await expect(prepareDatabase(host, { owned: false, runMigrations: true })).rejects.toMatchObject({
      code: 'notion_storage_unsupported',
      message: expect.stringContaining('rollback'),
    });
  });

  it('lets a reader see nothing that is not committed', async () => {
    const database = await embedded(join(await folder(), 'notion.sqlite'));
    const { store } = storageProcess(database);
    const { id } = await connectSome(store);
    let reading: ReturnType<typeof store.find> | undefined;
    await expect(
      database.transaction(async ({ manager }) => {
        await manager.query(`UPDATE notion_authorization SET version = 99 WHERE id = '${id}'`);
        reading = store.find(id);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect((await reading)!.version).toBe(1);
  });

  it('outlasts another connection that holds the write lock', async () => {
    const file = join(await folder(), 'notion.sqlite');
    const { store } = storageProcess(await embedded(file));
    const { id } = await connectSome(store);
    const other = await open({ ...ownDataSourceOptions({ databaseUrl: null, databaseFile: file }) });
    await other.query('BEGIN IMMEDIATE');
    const work = claimed(store, id);
    await new Promise((wait) => setTimeout(wait, 300));
    await other.query('COMMIT');
    expect(await work).toMatchObject({ spentVersion: 1 });
  });
});

describe('several processes on one SQLite file', () => {
  const key = randomBytes(32).toString('base64');

  async function run(order: Omit<StorageOrder, 'clientId' | 'key'>): Promise<StorageReport> {
    const child = fork(PROCESS, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.send({ ...order, clientId: CLIENT_ID, key });
    const [report] = (await once(child, 'message')) as [StorageReport];
    await once(child, 'exit');
    return report;
  }

  it('has the process that these tests start: npm run build:tools', () => {
    expect(existsSync(PROCESS)).toBe(true);
  });

  it('create and migrate it once when they start at once', async () => {
    const databaseFile = join(await folder(), 'data', 'notion.sqlite');
    const orders = Array.from({ length: 3 }, () => run({ databaseFile, authorizationId: null, rounds: 0 }));
    expect(await Promise.all(orders)).toEqual(Array(3).fill({ stored: 0, errors: [] }));
    const { dataSource } = await embedded(databaseFile);
    expect(await dataSource.query('SELECT name FROM notion_auth_migration')).toHaveLength(
      dataSource.migrations.length,
    );
  });

  it('store every pair exactly once, and no caller sees SQLITE_BUSY', async () => {
    const databaseFile = join(await folder(), 'notion.sqlite');
    const cipher = new KeyRingCipher({ encryptionKeys: [{ id: 'test', key: new Secret(key) }] });
    const { store } = storageProcess(await embedded(databaseFile), cipher);
    const { id } = await connectSome(store);
    const reports = await Promise.all(
      Array.from({ length: 3 }, () => run({ databaseFile, authorizationId: id, rounds: 60 })),
    );
    expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
    const stored = reports.reduce((sum, report) => sum + report.stored, 0);
    expect(stored).toBeGreaterThan(0);
    expect((await store.find(id))!.version).toBe(1 + stored);
    expect((await claimed(store, id, 1 + stored)).recovering).toBeNull();
  });
});

describe('engines', () => {
  it.each(['sqljs', 'mssql', 'mongodb', 'constructor'])('that were never proved are refused: %s', (type) => {
    expect(() => dialectOf(type)).toThrow(expect.objectContaining({ code: 'notion_storage_unsupported' }));
  });

  it.each(['http://db/x', 'sqlite:///tmp/x', 'db.example.com/notion'])(
    'are named by the scheme of the URL; %s is none of them, and the refusal does not quote it',
    (url) => {
      const configure = () => ownDataSourceOptions({ databaseUrl: new Secret(url), databaseFile: 'x' });
      expect(configure).toThrow('NOTION_AUTH_DATABASE_URL');
      expect(configure).not.toThrow(url);
    },
  );

  it('get a small pool of the module', () => {
    const databaseUrl = new Secret('postgresql://user:password@db.example.com/notion');
    expect(ownDataSourceOptions({ databaseUrl, databaseFile: 'x' })).toMatchObject({
      type: 'postgres',
      poolSize: 4,
      synchronize: false,
      logging: false,
      migrationsTableName: 'notion_auth_migration',
    });
  });
});

function encodings(secret: string): string[] {
  return (['base64', 'hex', 'base64url'] as const).map((form) => Buffer.from(secret).toString(form));
}
