import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionKeyRotation,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionTokenService,
  Secret,
  type Authorization,
  type NotionAuthOptions,
  type NotionAuthWiring,
} from 'nestjs-notion-auth';
import type { NotionSimulator, SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';
import { TokenCipher } from '../../src/domain/token-cipher.js';
import { PairCustody } from '../../src/refresh/pair.custody.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import type { StorageEngine } from './storage.harness.js';

export const REDIRECT_URI = 'https://app.example/notion/callback';
export const OWNER = 'owner-1';
const KEY = randomBytes(32).toString('base64');

export type NotionAppOptions = Partial<NotionAuthOptions> &
  Pick<NotionAuthWiring, 'dataSource' | 'providers'>;

/** Points an application at a new, empty database of the engine. */
export async function databaseFor(
  engine: StorageEngine,
): Promise<{ readonly options: NotionAppOptions; readonly drop: () => Promise<void> }> {
  const { options, drop } = await engine.createDatabase();
  const url = 'url' in options ? options.url : undefined;
  return {
    options: url === undefined ? { databaseFile: String(options.database) } : { databaseUrl: url },
    drop,
  };
}

/** The library in an application of its own, its public services in reach. */
export class NotionApp {
  private constructor(
    private readonly nest: INestApplicationContext,
    /** With which another process can be started beside it. */
    readonly options: NotionAuthOptions,
  ) {}

  static async start(simulator: NotionSimulator, options: NotionAppOptions): Promise<NotionApp> {
    const complete = {
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: simulator.url,
      encryptionKeys: [{ id: 'k1', key: KEY }],
      runMigrations: true,
      ...options,
    };
    const module = await Test.createTestingModule({
      imports: [NotionAuthModule.forRoot(complete)],
    }).compile();
    const nest = module.createNestApplication({ logger: [] });
    await nest.init();
    return new NotionApp(nest, complete);
  }

  get tokens(): NotionTokenService {
    return this.nest.get(NotionTokenService);
  }

  get refreshes(): NotionRefreshService {
    return this.nest.get(NotionRefreshService);
  }

  get clients(): NotionClientFactory {
    return this.nest.get(NotionClientFactory);
  }

  get connect(): NotionConnectService {
    return this.nest.get(NotionConnectService);
  }

  get custody(): PairCustody {
    return this.nest.get(PairCustody);
  }

  get keys(): NotionKeyRotation {
    return this.nest.get(NotionKeyRotation);
  }

  get sweep(): NotionRefreshSweep {
    return this.nest.get(NotionRefreshSweep);
  }

  get store(): AuthorizationStore {
    return this.nest.get(AuthorizationStore);
  }

  get cipher(): TokenCipher {
    return this.nest.get(TokenCipher);
  }

  get database(): NotionDatabase {
    return this.nest.get(NotionDatabase);
  }

  /** Stores a grant as a completed connect would, without a browser. */
  async keep(granted: SimulatedAuthorization, ownerId = OWNER): Promise<Authorization> {
    const connected = await this.store.connect({
      ownerId,
      clientId: granted.clientId,
      redirectUri: REDIRECT_URI,
      reconnect: null,
      grant: { ...granted, ownerKind: granted.ownerType },
      pair: {
        accessToken: new Secret(granted.accessToken),
        refreshToken: granted.refreshToken === null ? null : new Secret(granted.refreshToken),
        expiresInMs: null,
      },
    });
    if (!('authorization' in connected)) throw new Error('A new connection cannot be another grant.');
    return connected.authorization;
  }

  /** The authorization as it stands in the database. */
  async find(id: string): Promise<Authorization> {
    const found = await this.store.find(id);
    if (found === null) throw new Error('There is no such authorization.');
    return found;
  }

  close(): Promise<void> {
    return this.nest.close();
  }
}
