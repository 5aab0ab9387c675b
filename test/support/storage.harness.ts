import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { AuthorizationStore, Claim, NewConnection } from '../../src/domain/authorization-store.js';
import type { NotionGrant, TokenPair } from '../../src/domain/authorization.js';
import { Secret } from '../../src/domain/secret.js';
import type { TokenCipher } from '../../src/domain/token-cipher.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import type { NotionDatabase } from '../../src/storage/notion-database.js';
import { createOwnDataSource, ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { TypeOrmAttemptStatistics } from '../../src/storage/typeorm-attempt.statistics.js';
import { TypeOrmEventOutbox } from '../../src/storage/typeorm-event.outbox.js';
import { TypeOrmFleetReadings } from '../../src/storage/typeorm-fleet.readings.js';
import { TypeOrmAuthorizationStore } from '../../src/storage/typeorm-authorization.store.js';
import { TypeOrmConnectStateStore } from '../../src/storage/typeorm-connect-state.store.js';
import { TypeOrmRevocationOutbox } from '../../src/storage/typeorm-revocation.outbox.js';
import { TypeOrmWebhookAudience } from '../../src/storage/typeorm-webhook.audience.js';
import { TypeOrmWebhookDeliveries } from '../../src/storage/typeorm-webhook.deliveries.js';
import { TypeOrmWebhookTokens } from '../../src/storage/typeorm-webhook.tokens.js';

export const CLIENT_ID = 'client-under-test';

/** The stores over one DataSource, as one process has them. */
export interface StorageProcess {
  readonly database: NotionDatabase;
  readonly store: TypeOrmAuthorizationStore;
  readonly states: TypeOrmConnectStateStore;
  readonly statistics: TypeOrmAttemptStatistics;
  readonly outbox: TypeOrmRevocationOutbox;
  readonly events: TypeOrmEventOutbox;
  readonly webhookTokens: TypeOrmWebhookTokens;
  readonly webhookDeliveries: TypeOrmWebhookDeliveries;
  readonly webhookAudience: TypeOrmWebhookAudience;
  /** What health reads, for a process with these keys. */
  readonly readings: (...keyIds: string[]) => TypeOrmFleetReadings;
  storeOf(clientId: string, cipher?: KeyRingCipher): TypeOrmAuthorizationStore;
}

/** A database of the suite's own, with the migrations run. */
export interface TestStorage extends StorageProcess {
  /** Another DataSource on the same database, as another process would have it. */
  join(options?: Partial<DataSourceOptions>): Promise<StorageProcess>;
  close(): Promise<void>;
}

/** An empty database, without any table. */
export interface TestDatabase {
  readonly options: DataSourceOptions;
  drop(): Promise<void>;
}

export interface StorageEngine {
  readonly name: string;
  createDatabase(): Promise<TestDatabase>;
}

export function testCipher(): KeyRingCipher {
  return new KeyRingCipher({
    encryptionKeys: [{ id: 'test', key: new Secret(randomBytes(32).toString('base64')) }],
  });
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'notion-auth-storage-'));
  // Nest opens the database beside what refuses to start, so a file may still be written while this removes the folder.
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }) };
}

export const sqlite: StorageEngine = {
  name: 'SQLite',
  async createDatabase() {
    const folder = await temporaryFolder();
    const databaseFile = join(folder.path, 'private', 'notion.sqlite');
    return { options: ownDataSourceOptions({ databaseUrl: null, databaseFile }), drop: folder.remove };
  },
};

export const postgres = serverEngine('PostgreSQL', 'postgres', 'NOTION_AUTH_TEST_POSTGRES_URL');

export const mariadb = serverEngine('MariaDB', 'mariadb', 'NOTION_AUTH_TEST_MARIADB_URL');

/** Each suite gets a database of its own on the server that the variable names. */
function serverEngine(name: string, type: 'postgres' | 'mariadb', variable: string): StorageEngine {
  return {
    name,
    async createDatabase() {
      const adminUrl = process.env[variable];
      if (adminUrl === undefined) throw new Error(`${variable} is not set.`);
      const database = `notion_auth_test_${String(process.pid)}_${randomBytes(4).toString('hex')}`;
      const administer = async (statement: string) => {
        const admin = await new DataSource({ type, url: adminUrl }).initialize();
        await admin.query(statement).finally(() => admin.destroy());
      };
      await administer(`CREATE DATABASE ${database}`);
      const url = new URL(adminUrl);
      url.pathname = `/${database}`;
      return {
        options: ownDataSourceOptions({ databaseUrl: new Secret(url.href), databaseFile: '' }),
        drop: () => administer(`DROP DATABASE ${database}${type === 'postgres' ? ' WITH (FORCE)' : ''}`),
      };
    },
  };
}

export async function openStorage(engine: StorageEngine): Promise<TestStorage> {
  const { options, drop } = await engine.createDatabase();
  const opened: DataSource[] = [];
  const cipher = testCipher();
  const join = async (changes: Partial<DataSourceOptions> = {}) => {
    const dataSource = await openDataSource({ ...options, ...changes } as DataSourceOptions);
    opened.push(dataSource);
    return storageProcess(await prepareDatabase(dataSource, { owned: true, runMigrations: true }), cipher);
  };
  return {
    ...(await join()),
    join,
    async close() {
      for (const dataSource of opened) await dataSource.destroy();
      await drop();
    },
  };
}

export async function openDataSource(options: DataSourceOptions): Promise<DataSource> {
  return (await createOwnDataSource(options)).initialize();
}

export function storageProcess(database: NotionDatabase, cipher = testCipher()): StorageProcess {
  const config = { clientId: CLIENT_ID };
  const storeOf = (clientId: string, other = cipher) =>
    new TypeOrmAuthorizationStore(database, { clientId }, other);
  return {
    database,
    store: storeOf(CLIENT_ID),
    states: new TypeOrmConnectStateStore(database, config),
    statistics: new TypeOrmAttemptStatistics(database, config),
    outbox: new TypeOrmRevocationOutbox(database, config, cipher),
    events: new TypeOrmEventOutbox(database, config),
    webhookTokens: new TypeOrmWebhookTokens(database, config, cipher),
    webhookDeliveries: new TypeOrmWebhookDeliveries(database, config),
    webhookAudience: new TypeOrmWebhookAudience(database, config),
    readings: (...keyIds) => new TypeOrmFleetReadings(database, config, { keyIds } as unknown as TokenCipher),
    storeOf,
  };
}

export function somePair(overrides: Partial<TokenPair> = {}): TokenPair {
  return {
    accessToken: new Secret(`ntn_access-${randomUUID()}`),
    refreshToken: new Secret(`nrt_refresh-${randomUUID()}`),
    expiresInMs: null,
    ...overrides,
  };
}

export function someGrant(overrides: Partial<NotionGrant> = {}): NotionGrant {
  return {
    botId: randomUUID(),
    workspaceId: randomUUID(),
    workspaceName: 'Acme',
    workspaceIcon: '🏔️',
    ownerKind: 'user',
    ownerUserId: randomUUID(),
    duplicatedTemplateId: null,
    ...overrides,
  };
}

export function someConnection(overrides: Partial<NewConnection> = {}): NewConnection {
  return {
    ownerId: `owner-${randomUUID()}`,
    clientId: CLIENT_ID,
    redirectUri: 'http://localhost:3000/notion/callback',
    grant: someGrant(),
    pair: somePair(),
    reconnect: null,
    ...overrides,
  };
}

/** Connects and answers the new authorization's id with what was connected. */
export async function connectSome(store: AuthorizationStore, overrides: Partial<NewConnection> = {}) {
  const connection = someConnection(overrides);
  const result = await store.connect(connection);
  if (result.kind === 'other_grant') throw new Error('nothing was connected');
  return { id: result.authorization.id, connection, result };
}

export function claimOf(store: AuthorizationStore, id: string, seenVersion = 1, leaseMs = 60_000) {
  return store.claim({ authorizationId: id, trigger: 'unauthorized', seenVersion, leaseMs });
}

/** Claims, or fails the test. */
export async function claimed(...claim: Parameters<typeof claimOf>): Promise<Claim> {
  const result = await claimOf(...claim);
  if (result.kind !== 'claimed') throw new Error(`not claimed: ${JSON.stringify(result)}`);
  return result.claim;
}
