import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module, type FactoryProvider, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AuthorizationStore,
  KeyRingCipher,
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionRefreshService,
  NotionTokenService,
  Secret,
} from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { TokenSeals } from '../../src/storage/token-seals.js';
import { OWNER } from '../support/notion-app.js';
import { temporaryFolder } from '../support/storage.harness.js';

const KEY = randomBytes(32).toString('base64');
const CALLS = 50;

/** The library's services, as one part of an application has them injected. */
const SERVICES = [
  NotionTokenService,
  NotionRefreshService,
  NotionClientFactory,
  NotionConnectService,
  AuthorizationStore,
] as const;

interface Services {
  readonly tokens: NotionTokenService;
  readonly refreshes: NotionRefreshService;
  readonly clients: NotionClientFactory;
  readonly connect: NotionConnectService;
  readonly store: AuthorizationStore;
}

function servicesAs(name: string): FactoryProvider<Services> {
  const useFactory = (
    tokens: NotionTokenService,
    refreshes: NotionRefreshService,
    clients: NotionClientFactory,
    connect: NotionConnectService,
    store: AuthorizationStore,
  ): Services => ({ tokens, refreshes, clients, connect, store });
  return { provide: name, useFactory, inject: [...SERVICES] };
}

@Module({})
class SalesModule {}

@Module({})
class SupportModule {}

interface Part {
  readonly simulator: NotionSimulator;
  readonly services: Services;
  readonly granted: SimulatedAuthorization;
}

describe('F8: two modules of two Notion clients in one application, with the same id in both', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let simulators: readonly [NotionSimulator, NotionSimulator];
  let app: INestApplication;
  let sameId: string;
  let sales: Part;
  let support: Part;

  function notion(simulator: NotionSimulator, routes: string) {
    return NotionAuthModule.forRoot({
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [`https://app.example/${routes}/callback`],
      apiBaseUrl: simulator.url,
      encryptionKeys: [{ id: 'k1', key: KEY }],
      databaseFile: join(folder.path, `${routes}.sqlite`),
      routes,
      isGlobal: false,
    });
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    simulators = [await NotionSimulator.start(), await NotionSimulator.start()];
    const testing = await Test.createTestingModule({
      imports: [
        { module: SalesModule, imports: [notion(simulators[0], 'sales')], providers: [servicesAs('sales')] },
        {
          module: SupportModule,
          imports: [notion(simulators[1], 'support')],
          providers: [servicesAs('support')],
        },
      ],
    }).compile();
    app = testing.createNestApplication({ logger: [] });
    await app.init();
  });

  beforeEach(async () => {
    sameId = randomUUID();
    sales = await partOf(simulators[0], app.get<Services>('sales', { strict: false }));
    support = await partOf(simulators[1], app.get<Services>('support', { strict: false }));
  });

  afterAll(async () => {
    await app.close();
    for (const simulator of simulators) await simulator.close();
    await folder.remove();
  });

  /** Connects a grant and then gives it the id that both have. */
  async function partOf(simulator: NotionSimulator, services: Services): Promise<Part> {
    const granted = simulator.grant();
    const pair = {
      accessToken: new Secret(granted.accessToken),
      refreshToken: new Secret(granted.refreshToken!),
      expiresInMs: null,
    };
    const connected = await services.store.connect({
      ownerId: OWNER,
      clientId: granted.clientId,
      redirectUri: 'https://app.example/callback',
      reconnect: null,
      grant: { ...granted, ownerKind: granted.ownerType },
      pair,
    });
    if (!('authorization' in connected)) throw new Error('A new grant cannot be another one.');
    const { id, clientId, version } = connected.authorization;
    const cipher = new KeyRingCipher({ encryptionKeys: [{ id: 'k1', key: new Secret(KEY) }] });
    const sealed = new TokenSeals(cipher).seal({ id: sameId, clientId, version }, pair);
    const { database } = services.store as unknown as { database: NotionDatabase };
    const { dataSource } = database;
    await dataSource.query(`DELETE FROM notion_authorization_owner WHERE authorization_id = '${id}'`);
    await dataSource.query(
      `UPDATE notion_authorization SET id = '${sameId}', sealed_access_token = '${sealed.sealedAccessToken}', ` +
        `sealed_refresh_token = '${sealed.sealedRefreshToken!}' WHERE id = '${id}'`,
    );
    await dataSource.query(`INSERT INTO notion_authorization_owner VALUES ('${sameId}', '${OWNER}', 0)`);
    return { simulator, services, granted };
  }

  const live = ({ simulator, granted }: Part) => simulator.ledger.live(granted.botId).accessToken;
  const tokenOf = async ({ services }: Part) => (await services.tokens.getAccessToken(sameId)).reveal();

  it('keep their tokens apart in memory', async () => {
    for (const part of [sales, support, sales, support]) expect(await tokenOf(part)).toBe(live(part));
    sales.services.tokens.forget(sameId);
    expect(await tokenOf(support)).toBe(live(support));
  });

  it('share no refresh and no queue', async () => {
    const parts = [sales, support];
    const marks = parts.map(({ simulator, granted }) => {
      simulator.expireAccessToken(granted.botId);
      return simulator.ledger.mark();
    });
    const call = ({ services }: Part) => services.clients.forAuthorization(sameId).users.me({});
    const answers = await Promise.all(Array.from({ length: CALLS * 2 }, (_, n) => call(parts[n % 2]!)));
    expect(answers).toHaveLength(CALLS * 2);
    for (const [n, part] of parts.entries()) {
      const since = part.simulator.ledger.since(marks[n]!);
      expect(since.refreshes(part.granted.botId)).toBe(1);
      expect(since.refreshes()).toBe(1);
      // Whatever token came here was issued here, and to this grant.
      expect(since.requests(({ botId }) => botId !== part.granted.botId)).toEqual([]);
      expect(await tokenOf(part)).toBe(live(part));
    }
  });

  it('refresh one without the other, at the same time', async () => {
    const before = live(support);
    const [first, second] = await Promise.all([
      sales.services.refreshes.refresh(sameId, { trigger: 'manual' }),
      support.services.tokens.getAccessToken(sameId),
    ]);
    expect(first).toMatchObject({ kind: 'renewed' });
    expect(second.reveal()).toBe(before);
    expect(live(support)).toBe(before);
  });

  it('disconnect one without the other', async () => {
    expect(await sales.services.connect.disconnect(sameId, OWNER)).toBe('revoked');
    expect(live(sales)).toBeNull();
    expect(await tokenOf(support)).toBe(live(support));
    expect(await support.services.connect.list(OWNER)).toContainEqual(
      expect.objectContaining({ id: sameId, status: 'active' }),
    );
  });
});
