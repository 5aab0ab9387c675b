import 'reflect-metadata';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { NotionAuthModule, NotionRefreshService, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';

export type HealthOrder =
  | { readonly kind: 'start'; readonly options: NotionAuthOptions }
  | { readonly kind: 'refresh'; readonly authorizationId: string };

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

  @Get('notion')
  @HealthCheck()
  refreshes(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.check('notionAuth')]);
  }
}

@Module({})
class HealthModule {}

let application: INestApplication;

process.on('message', (order: HealthOrder) => {
  if (order.kind === 'start') {
    void start(order.options).then((url) => process.send?.(url));
  } else {
    // Whatever comes of it is for the health to tell.
    void application
      .get(NotionRefreshService)
      .refresh(order.authorizationId, { trigger: 'manual' })
      .catch(() => undefined);
  }
});
process.on('disconnect', () => process.exit(0));

async function start(options: NotionAuthOptions): Promise<string> {
  application = await NestFactory.create(
    {
      module: HealthModule,
      imports: [
        TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 }),
        NotionAuthModule.forRoot({ ...options, routes: 'notion', resolveOwner: () => 'owner-1' }),
      ],
      controllers: [HealthController],
      providers: [NotionAuthHealthIndicator],
    },
    { logger: false, abortOnError: false },
  );
  application.enableShutdownHooks();
  await application.listen(0, '127.0.0.1');
  return application.getUrl();
}
