import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Clock,
  NotionAuthModule,
  NotionClientFactory,
  NotionRefreshService,
  Secret,
  type Authorization,
  type NotionAuthOptions,
} from 'nestjs-notion-auth';
import type { NotionSimulator } from 'nestjs-notion-auth/testing';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { MovedClock } from './health.app.js';
import { REDIRECT_URI, type NotionAppOptions } from './notion-app.js';

/** An application that listens, with adapters of the test's choice. */
export class MetricsApp {
  readonly clock: MovedClock;

  private constructor(
    private readonly nest: INestApplication,
    private readonly simulator: NotionSimulator,
  ) {
    this.clock = nest.get<MovedClock>(Clock);
  }

  static async start(
    simulator: NotionSimulator,
    { providers, ...options }: NotionAppOptions & { readonly providers: readonly Provider[] },
  ): Promise<MetricsApp> {
    const complete: NotionAuthOptions = {
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: simulator.url,
      encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
      ...options,
    };
    const clock = new MovedClock();
    const testing = await Test.createTestingModule({
      imports: [NotionAuthModule.forRoot({ ...complete, providers, resolveOwner: () => 'owner-1' })],
    })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    const nest = testing.createNestApplication({ logger: false });
    await nest.listen(0, '127.0.0.1');
    return new MetricsApp(nest, simulator);
  }

  get refreshes(): NotionRefreshService {
    return this.nest.get(NotionRefreshService);
  }

  get clients(): NotionClientFactory {
    return this.nest.get(NotionClientFactory);
  }

  get store(): AuthorizationStore {
    return this.nest.get(AuthorizationStore);
  }

  get database(): NotionDatabase {
    return this.nest.get(NotionDatabase);
  }

  /** A new grant at Notion, stored as if its callback had come. */
  async connect(): Promise<Authorization> {
    const granted = this.simulator.grant();
    const result = await this.store.connect({
      ownerId: 'owner-1',
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
    if (!('authorization' in result)) throw new Error('A new person cannot be another grant.');
    return result.authorization;
  }

  /** A call of Notion's API in the name of the authorization. */
  async call(id: string, path = '/v1/users/me'): Promise<number> {
    const headers = { 'notion-version': '2026-03-11' };
    return (await this.clients.fetchFor(id)(path, { headers })).status;
  }

  /** Through the built-in routes, as a browser would. */
  async connectInBrowser(): Promise<number> {
    const departure = await fetch(`${this.url}/notion/connect`, { redirect: 'manual' });
    const cookie = departure.headers.get('set-cookie')!.split(';')[0]!;
    const callback = new URL(this.simulator.allow(departure.headers.get('location')!));
    return this.callBack(callback.pathname + callback.search, cookie);
  }

  async callBack(path: string, cookie = ''): Promise<number> {
    const arrival = await fetch(this.url + path, { redirect: 'manual', headers: { cookie } });
    return arrival.status;
  }

  close(): Promise<void> {
    return this.nest.close();
  }

  private get url(): string {
    const { port } = (this.nest.getHttpServer() as Server).address() as AddressInfo;
    return `http://127.0.0.1:${String(port)}`;
  }
}
