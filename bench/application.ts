import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplication, type LoggerService, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionTokenService,
  Secret,
  VerifiedCallback,
  type AuthorizationId,
} from 'nestjs-notion-auth';

const CLIENT_ID = '2f0d872b-594c-80a4-b3b5-0037a1b2c3d4';
const REDIRECT_URI = 'http://localhost:3000/notion/callback';

/** What an application adds to the module to see it at work. */
export interface Watching {
  /** Of the module's ports, as its option `providers`. */
  readonly adapters: readonly Provider[];
  /** Of the application's own. */
  readonly listeners: readonly Type[];
  readonly logger: LoggerService | false;
}

const UNWATCHED: Watching = { adapters: [], listeners: [], logger: false };

/** An application as users write it, on an embedded SQLite file, with one authorization connected. */
export interface Application {
  readonly id: AuthorizationId;
  readonly tokens: NotionTokenService;
  readonly clients: NotionClientFactory;
  /** Somebody else connects. */
  connect(): Promise<AuthorizationId>;
  close(): Promise<void>;
}

export async function startApplication(
  notionUrl: string,
  { adapters, listeners, logger }: Watching = UNWATCHED,
): Promise<Application> {
  const folder = mkdtempSync(join(tmpdir(), 'notion-bench-'));
  const notion = NotionAuthModule.forRoot({
    clientId: CLIENT_ID,
    clientSecret: randomBytes(24).toString('base64url'),
    redirectUris: [REDIRECT_URI],
    apiBaseUrl: notionUrl,
    encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
    databaseFile: join(folder, 'bench.sqlite'),
    providers: adapters,
    resolveOwner: () => 'bench',
  });
  const module = { module: BenchModule, imports: [notion], providers: [...listeners] };
  const nest = await NestFactory.create(module, { logger, abortOnError: false });
  await nest.init();
  return {
    id: await connect(nest),
    tokens: nest.get(NotionTokenService),
    clients: nest.get(NotionClientFactory),
    connect: () => connect(nest),
    close: async () => {
      await nest.close();
      rmSync(folder, { recursive: true });
    },
  };
}

@Module({})
class BenchModule {
  readonly name = 'bench';
}

async function connect(nest: INestApplication): Promise<AuthorizationId> {
  const pending = {
    ownerId: 'bench',
    clientId: CLIENT_ID,
    redirectUri: REDIRECT_URI,
    returnTo: '/',
    reconnect: null,
  };
  const callback = new VerifiedCallback(new Secret('a-code'), pending);
  const { authorization } = await nest.get(NotionConnectService).complete(callback);
  return authorization.id;
}
