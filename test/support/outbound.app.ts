import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionTokenService,
  Secret,
  type Authorization,
  type NotionAuthWiring,
  type OutboundOptions,
} from 'nestjs-notion-auth';
import type { NotionSimulator, SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';

interface Request {
  readonly headers: Record<string, string | undefined>;
}

export interface OutboundAppOptions {
  readonly simulator: NotionSimulator;
  readonly outbound?: OutboundOptions;
  readonly controller?: Type<unknown>;
  readonly providers?: readonly Type<unknown>[];
  readonly resolveOwner?: (request: Request) => string | undefined;
  readonly resolveAuthorization?: NotionAuthWiring['resolveAuthorization'];
  /** Shares the database and the keys of another application, as a second process would. */
  readonly beside?: OutboundApp;
}

/** A Nest application with the module in it, and authorizations that were connected before the test began. */
export class OutboundApp {
  private constructor(
    readonly nest: INestApplication,
    private readonly simulator: NotionSimulator,
    private readonly folder: string,
    private readonly key: string,
    private readonly ownsFolder: boolean,
  ) {}

  static async start(options: OutboundAppOptions): Promise<OutboundApp> {
    const { simulator, beside } = options;
    const folder = beside?.folder ?? mkdtempSync(join(tmpdir(), 'notion-outbound-'));
    const key = beside?.key ?? randomBytes(32).toString('base64');
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: simulator.clientId,
          clientSecret: simulator.clientSecret,
          redirectUris: ['https://app.example/notion/callback'],
          apiBaseUrl: simulator.url,
          encryptionKeys: [{ id: 'k1', key }],
          databaseFile: join(folder, 'notion-auth.sqlite'),
          outbound: options.outbound,
          resolveOwner: options.resolveOwner ?? (({ headers }: Request) => headers['x-user']),
          resolveAuthorization: options.resolveAuthorization,
        }),
      ],
      controllers: options.controller === undefined ? [] : [options.controller],
      providers: [...(options.providers ?? [])],
    }).compile();
    const nest = testing.createNestApplication();
    nest.useLogger(false);
    await nest.listen(0, '127.0.0.1');
    return new OutboundApp(nest, simulator, folder, key, beside === undefined);
  }

  get clients(): NotionClientFactory {
    return this.nest.get(NotionClientFactory);
  }

  get tokens(): NotionTokenService {
    return this.nest.get(NotionTokenService);
  }

  get store(): AuthorizationStore {
    return this.nest.get(AuthorizationStore);
  }

  /** A new grant at Notion, stored as if its callback had come; another person each time. */
  async connect(ownerId = 'owner-1'): Promise<Authorization> {
    return this.keep(this.simulator.grant(), ownerId);
  }

  /** Another owner connects the same grant, and gets a new pair of it. */
  async share({ workspaceId, ownerUserId }: Authorization, ownerId: string): Promise<Authorization> {
    return this.keep(this.simulator.grant({ workspace: workspaceId, person: ownerUserId! }), ownerId);
  }

  private async keep(granted: SimulatedAuthorization, ownerId: string): Promise<Authorization> {
    const result = await this.store.connect({
      ownerId,
      clientId: this.simulator.clientId,
      redirectUri: 'https://app.example/notion/callback',
      grant: { ...granted, ownerKind: granted.ownerType },
      pair: {
        accessToken: new Secret(granted.accessToken),
        refreshToken: granted.refreshToken === null ? null : new Secret(granted.refreshToken),
        expiresInMs: null,
      },
      reconnect: null,
    });
    if (!('authorization' in result)) throw new Error('A new person cannot be another grant.');
    return result.authorization;
  }

  async close(): Promise<void> {
    await this.nest.close();
    if (this.ownsFolder) rmSync(this.folder, { recursive: true });
  }
}
