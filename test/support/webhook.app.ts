import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Controller,
  Injectable,
  Post,
  UseGuards,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  AuthorizationStore,
  NotionAuthModule,
  NotionClientFactory,
  NotionDelivery,
  NotionWebhook,
  NotionWebhookGuard,
  NotionWebhookPairing,
  Secret,
  type Authorization,
  type NotionAuthOptions,
  type NotionWebhookDelivery,
} from 'nestjs-notion-auth';
import type { NotionSimulator } from 'nestjs-notion-auth/testing';
import { REDIRECT_URI } from './notion-app.js';

/** What handlers were given, and what a test lets them do with it. */
@Injectable()
export class WebhookInbox {
  readonly deliveries: NotionWebhookDelivery[] = [];
  work: (delivery: NotionWebhookDelivery, clients: NotionClientFactory) => Promise<unknown> = () =>
    Promise.resolve();

  constructor(private readonly clients: NotionClientFactory) {}

  async take(delivery: NotionWebhookDelivery): Promise<void> {
    this.deliveries.push(delivery);
    await this.work(delivery, this.clients);
  }
}

@Controller('hooks')
export class WebhookController {
  constructor(private readonly inbox: WebhookInbox) {}

  @Post('notion')
  @NotionWebhook()
  async changed(@NotionDelivery() delivery: NotionWebhookDelivery): Promise<string> {
    await this.inbox.take(delivery);
    return 'nobody waits for this';
  }

  @Post('guarded')
  @UseGuards(NotionWebhookGuard)
  guarded(): string {
    return 'let in';
  }
}

export interface WebhookAppOptions {
  readonly simulator: NotionSimulator;
  readonly server?: 'express' | 'fastify';
  readonly rawBody?: boolean;
  /** Stands in for Nest's own body parser, which is switched off (Express). */
  readonly ownParser?: Parameters<INestApplication['use']>[0];
  readonly options?: Partial<NotionAuthOptions>;
  /** Shares database and keys of another, as its replica. */
  readonly beside?: WebhookApp;
  /** Bodies that the application's own parser takes. */
  readonly parserLimit?: number;
}

/** An application that takes webhooks, listening on loopback. */
export class WebhookApp {
  readonly log: string[] = [];

  private constructor(
    readonly nest: INestApplication,
    readonly folder: string,
    readonly key: string,
    private readonly simulator: NotionSimulator,
    private readonly ownsFolder: boolean,
  ) {}

  static async start(given: WebhookAppOptions): Promise<WebhookApp> {
    const { simulator, server = 'express', rawBody = true, ownParser, options, beside, parserLimit } = given;
    const folder = beside?.folder ?? mkdtempSync(join(tmpdir(), 'notion-webhook-'));
    const key = beside?.key ?? randomBytes(32).toString('base64');
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: simulator.clientId,
          clientSecret: simulator.clientSecret,
          redirectUris: [REDIRECT_URI],
          apiBaseUrl: simulator.url,
          encryptionKeys: [{ id: 'k1', key }],
          databaseFile: join(folder, 'notion-auth.sqlite'),
          ...options,
        }),
      ],
      controllers: [WebhookController],
      providers: [WebhookInbox],
    }).compile();
    const adapter =
      server === 'express' ? new ExpressAdapter() : new FastifyAdapter({ bodyLimit: parserLimit });
    const nest = testing.createNestApplication<NestExpressApplication>(adapter as never, {
      rawBody,
      ...(ownParser === undefined ? {} : { bodyParser: false }),
    });
    if (ownParser !== undefined) nest.use(ownParser);
    if (server === 'express' && parserLimit !== undefined) nest.useBodyParser('json', { limit: parserLimit });
    const app = new WebhookApp(nest, folder, key, simulator, beside === undefined);
    nest.useLogger(recorder(app.log));
    try {
      await nest.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close();
      throw error;
    }
    return app;
  }

  get url(): string {
    const address = (this.nest.getHttpServer() as { address(): { port: number } }).address();
    return `http://127.0.0.1:${address.port}/hooks/notion`;
  }

  get inbox(): WebhookInbox {
    return this.nest.get(WebhookInbox);
  }

  get pairing(): NotionWebhookPairing {
    return this.nest.get(NotionWebhookPairing);
  }

  /** A new grant, stored as if its callback had come. */
  async connect(ownerId: string): Promise<Authorization> {
    const granted = this.simulator.grant();
    const result = await this.nest.get(AuthorizationStore).connect({
      ownerId,
      clientId: this.simulator.clientId,
      redirectUri: REDIRECT_URI,
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
    if (this.ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}

function recorder(lines: string[]): LoggerService {
  const record = (...parts: unknown[]): void => void lines.push(parts.map(String).join(' '));
  return { log: record, warn: record, error: record, debug: record, verbose: record, fatal: record };
}
