import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';
import type { AuthorizationStore as Store } from '../../src/domain/authorization-store.js';
import { AuthorizationStore } from '../../src/domain/authorization-store.js';
import { Clock } from '../../src/domain/clock.js';
import { TokenCipher } from '../../src/domain/token-cipher.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';

/** As an application shuts its operators' pages out of public reach. */
@Injectable()
class FromInsideGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    if (headers['x-from-inside'] === 'yes') return true;
    throw new ForbiddenException();
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly notion: NotionAuthHealthIndicator,
  ) {}

  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.ready('notionAuth')]);
  }

  @Get('ready-without-database')
  @HealthCheck()
  readyWithoutDatabase(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.ready('notionAuth', { database: 'ignore' })]);
  }

  @Get('notion')
  @HealthCheck()
  refreshes(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.check('notionAuth')]);
  }

  @Get('enforced')
  @HealthCheck()
  enforced(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.check('notionAuth', { mode: 'enforce' })]);
  }

  @Get('guarded')
  @UseGuards(FromInsideGuard)
  @HealthCheck()
  guarded(): Promise<HealthCheckResult> {
    return this.refreshes();
  }
}

/** This process's time, which a test may move on. */
export class MovedClock extends Clock {
  private aheadMs = 0;

  moveOn(byMs: number): void {
    this.aheadMs += byMs;
  }
  override now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }
  override monotonicMs(): number {
    return performance.now() + this.aheadMs;
  }
  override sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, durationMs));
  }
}

export interface ProbeAnswer {
  readonly status: number;
  readonly text: string;
  /** What the indicator says. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly tookMs: number;
}

/** An application that mounts every probe. */
export class HealthApp {
  private constructor(readonly nest: INestApplication) {}

  static async start(options: NotionAuthOptions, clock = new MovedClock()): Promise<HealthApp> {
    const testing = await Test.createTestingModule({
      imports: [TerminusModule, NotionAuthModule.forRoot({ ...options, resolveOwner: () => 'owner-1' })],
      controllers: [HealthController],
      providers: [NotionAuthHealthIndicator],
    })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    const nest = testing.createNestApplication({ logger: false });
    await nest.listen(0, '127.0.0.1');
    return new HealthApp(nest);
  }

  get store(): Store {
    return this.nest.get<Store>(AuthorizationStore);
  }

  get database(): NotionDatabase {
    return this.nest.get(NotionDatabase);
  }

  get cipher(): TokenCipher {
    return this.nest.get<TokenCipher>(TokenCipher);
  }

  get url(): string {
    const { port } = (this.nest.getHttpServer() as Server).address() as AddressInfo;
    return `http://127.0.0.1:${String(port)}`;
  }

  async probe(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ProbeAnswer> {
    const askedAtMs = performance.now();
    const response = await fetch(this.url + path, { headers });
    const text = await response.text();
    const tookMs = performance.now() - askedAtMs;
    const { details } = JSON.parse(text) as { details?: { notionAuth?: Record<string, unknown> } };
    return { status: response.status, text, tookMs, details: details?.notionAuth ?? {} };
  }

  close(): Promise<void> {
    return this.nest.close();
  }
}
