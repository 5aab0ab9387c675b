import 'reflect-metadata';
import { inspect } from 'node:util';
import { Body, Controller, Get, Module, Param, Post, Query, type INestApplication } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import {
  AuthorizationStore,
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionKeyRotation,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionTokenService,
  type NotionAuthOptions,
} from 'nestjs-notion-auth';
import { NotionAuthConsoleModule } from 'nestjs-notion-auth/console';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { STATEMENTS_TO_OUTPUT } from './statement.output.js';

const VERSION = { 'notion-version': '2026-03-11' };
const registry = new Registry();
let application: INestApplication;

/** Everything that an application can do with the library, its result or error shown in every form. */
@Controller('drive')
class DriveController {
  constructor(
    private readonly refreshes: NotionRefreshService,
    private readonly tokens: NotionTokenService,
    private readonly clients: NotionClientFactory,
    private readonly connects: NotionConnectService,
    private readonly sweep: NotionRefreshSweep,
    private readonly keys: NotionKeyRotation,
    private readonly store: AuthorizationStore,
    private readonly health: NotionAuthHealthIndicator,
  ) {}

  @Post('refresh/:id')
  refresh(@Param('id') id: string): Promise<string> {
    return shown(() => this.refreshes.refresh(id, { trigger: 'manual' }));
  }

  @Post('token/:id')
  token(@Param('id') id: string): Promise<string> {
    return shown(async () => {
      const token = await this.tokens.getAccessToken(id);
      return [token, await this.tokens.getAccessToken(id, { rejected: token })];
    });
  }

  @Get('fetch/:id')
  fetch(@Param('id') id: string, @Query('path') path = '/v1/users/me'): Promise<string> {
    return shown(async () => {
      const answer = await this.clients.fetchFor(id)(path, { headers: VERSION });
      return [answer.status, [...answer.headers], await answer.text()];
    });
  }

  @Get('sdk/:id')
  sdk(@Param('id') id: string): Promise<string> {
    return shown(async () => {
      const client = this.clients.forAuthorization(id, { retry: false });
      return [client, await client.users.me({})];
    });
  }

  @Post('disconnect/:id')
  disconnect(@Param('id') id: string, @Body() { owner }: { owner: string }): Promise<string> {
    return shown(() => this.connects.disconnect(id, owner));
  }

  @Get('list')
  list(@Query('owner') owner: string): Promise<string> {
    return shown(() => this.connects.list(owner));
  }

  @Get('find/:id')
  find(@Param('id') id: string): Promise<string> {
    return shown(() => this.store.find(id));
  }

  @Post('sweep')
  runSweep(): Promise<string> {
    return shown(() => this.sweep.run({ maxTokenAgeMs: 1 }));
  }

  @Post('rotate')
  rotate(): Promise<string> {
    return shown(() => this.keys.run());
  }

  @Get('health')
  check(): Promise<string> {
    return shown(async () => [await this.health.check('notion'), await this.health.ready('ready')]);
  }

  @Get('metrics')
  metrics(): Promise<string> {
    return registry.metrics();
  }

  @Post('gates')
  gates(): Promise<string> {
    return shown(() => this.run('UPDATE notion_refresh_gate SET closed_until = NULL, closed_since = NULL'));
  }

  @Post('read-only')
  readOnly(@Query('on') on: string): Promise<string> {
    return shown(() => this.run(`PRAGMA query_only = ${on === 'true' ? 'ON' : 'OFF'}`));
  }

  @Get('rows')
  rows(): Promise<string> {
    return shown(() => this.run('SELECT * FROM notion_authorization'));
  }

  @Get('objects')
  objects(): Promise<string> {
    return shown(() => Promise.resolve([this, application]));
  }

  private run(statement: string): Promise<unknown> {
    return dataSourceOf(application).query(statement);
  }
}

@Module({})
class CanaryModule {}

async function shown(work: () => Promise<unknown>): Promise<string> {
  const result = await work().catch((error: unknown) => error);
  const parts: string[] = [];
  for (let at: unknown = result; at !== undefined && parts.length < 20;) {
    parts.push(
      inspect(at, { depth: 8, showHidden: true, maxStringLength: Infinity, compact: true }),
      asJson(at),
    );
    if (at instanceof Error) parts.push(at.stack ?? '', at.message);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join('\n');
}

function asJson(value: unknown): string {
  const seen = new WeakSet();
  const text: unknown = JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part !== 'object' || part === null) return part;
    if (seen.has(part)) return undefined;
    seen.add(part);
    return part;
  });
  return typeof text === 'string' ? text : '';
}

/** The module's own connection, found as somebody who looks around in the container would. */
function dataSourceOf(nest: INestApplication): DataSource {
  for (const module of nest.get(ModulesContainer).values()) {
    for (const { name, instance } of module.providers.values()) {
      if (name === 'NotionDatabase') return (instance as { dataSource: DataSource }).dataSource;
    }
  }
  throw new Error('The module has no connection.');
}

process.once('message', (options: NotionAuthOptions) => {
  start(options).then(
    (url) => process.send?.(url),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : 'unknown'}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function start(options: NotionAuthOptions): Promise<string> {
  const resolveOwner = (request: { headers: Record<string, string | undefined> }) =>
    request.headers['x-owner'];
  application = await NestFactory.create(
    {
      module: CanaryModule,
      imports: [
        TerminusModule,
        NotionAuthModule.forRoot({ ...options, resolveOwner, providers: [prometheusMetrics(registry)] }),
        NotionAuthConsoleModule.forRoot({ guard: { canActivate: () => true }, actor: resolveOwner }),
      ],
      controllers: [DriveController],
      providers: [NotionAuthHealthIndicator],
    },
    { logger: ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'], abortOnError: false },
  );
  application.enableShutdownHooks();
  await application.listen(0, '127.0.0.1');
  dataSourceOf(application).logger = STATEMENTS_TO_OUTPUT;
  return application.getUrl();
}
