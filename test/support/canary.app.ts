import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Controller,
  Get,
  UseFilters,
  UseInterceptors,
  type DynamicModule,
  type INestApplication,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import type { Client } from '@notionhq/client';
import {
  NotionAuthExceptionFilter,
  NotionAuthModule,
  NotionSdk,
  NotionTokenInterceptor,
  Secret,
  type Authorization,
  type NotionAuthOptions,
} from 'nestjs-notion-auth';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';
import type { NotionSimulator, SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import type { CanaryScanner } from './canary.scanner.js';
import type { Exposure } from './exposure.js';

export const REDIRECT_URI = 'https://app.example/notion/callback';
export const BINDING_COOKIE = '__Host-notion-auth';

@Controller()
@UseFilters(NotionAuthExceptionFilter)
class VisibleController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly notion: NotionAuthHealthIndicator,
  ) {}

  @Get('who')
  @UseInterceptors(NotionTokenInterceptor)
  async who(@NotionSdk() client: Client): Promise<unknown> {
    return (await client.users.me({})).name;
  }

  @Get('health/ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.ready('notionAuth')]);
  }

  @Get('health/notion')
  @HealthCheck()
  refreshes(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.check('notionAuth')]);
  }
}

export interface CanaryStage {
  readonly simulator: NotionSimulator;
  readonly scanner: CanaryScanner;
  readonly exposure: Exposure;
}

/** An application of which everything that can be seen goes into the exposure. */
export class CanaryApp {
  private constructor(
    private readonly stage: CanaryStage,
    readonly nest: INestApplication,
    readonly folder: string,
  ) {}

  static async start(
    stage: CanaryStage,
    notionAuth: (folder: string) => DynamicModule,
    folder = mkdtempSync(join(tmpdir(), 'notion-canary-')),
  ): Promise<CanaryApp> {
    try {
      const nest = await listen(stage, notionAuth(folder));
      return new CanaryApp(stage, nest, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    const { port } = (this.nest.getHttpServer() as { address(): { port: number } }).address();
    return `http://127.0.0.1:${port}`;
  }

  get databaseFile(): string {
    return join(this.folder, 'notion-auth.sqlite');
  }

  /** A new grant, stored as if its callback had come. */
  async keep(ownerId: string, granted = this.stage.simulator.grant()): Promise<KeptGrant> {
    const result = await this.nest.get(AuthorizationStore).connect({
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
    if (!('authorization' in result)) throw new Error('A new connection cannot be another grant.');
    return { granted, authorization: result.authorization };
  }

  /** Shows every byte that is kept. */
  showFiles(): void {
    for (const name of readdirSync(this.folder))
      this.stage.exposure.text(`file ${name}`, readFileSync(join(this.folder, name), 'latin1'));
  }

  async close(): Promise<void> {
    await this.nest.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function listen({ exposure }: CanaryStage, notionAuth: DynamicModule): Promise<INestApplication> {
  const testing = await Test.createTestingModule({
    imports: [TerminusModule, notionAuth],
    controllers: [VisibleController],
    providers: [NotionAuthHealthIndicator],
  })
    .setLogger(exposure.logger)
    .compile();
  const nest = testing.createNestApplication({ logger: exposure.logger });
  await nest.listen(0, '127.0.0.1');
  nest.get(NotionDatabase).dataSource.logger = exposure.statements;
  return nest;
}

export interface KeptGrant {
  readonly granted: SimulatedAuthorization;
  readonly authorization: Authorization;
}

/** Options with every secret in clear, as a careless application writes them. */
export function plainOptions(
  stage: CanaryStage,
  folder: string,
  key: string,
  coming: string,
): NotionAuthOptions {
  return {
    clientId: stage.simulator.clientId,
    clientSecret: stage.simulator.clientSecret,
    clientSecretNext: coming,
    redirectUris: [REDIRECT_URI],
    apiBaseUrl: stage.simulator.url,
    encryptionKeys: [{ id: 'k1', key }],
    databaseFile: join(folder, 'notion-auth.sqlite'),
    refresh: { requestTimeoutMs: 700, leaseMs: 3_000, leaseMarginMs: 100, callerWaitMs: 4_000 },
    connect: { exchangeTimeoutMs: 700 },
    outbound: { callTimeoutMs: 4_000 },
  };
}

export function appModule(options: NotionAuthOptions): DynamicModule {
  return NotionAuthModule.forRoot({ ...options, resolveOwner: sessionUser });
}

export function sessionUser(request: { headers: Record<string, string | undefined> }): string | undefined {
  return request.headers['x-session-user'];
}
