import 'reflect-metadata';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AbstractLogger, DataSource } from 'typeorm';
import * as library from 'nestjs-notion-auth';
import type { NotionClientFactory, NotionRefreshService } from 'nestjs-notion-auth';
import type {
  SignalHandling,
  SignalHostCommand,
  SignalHostReport,
  SignalHostSetup,
} from './signal.host.messages.js';

const HOST = 'host';
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Longer than the module waits between two tries to store a token pair. */
const OUTLIVES_MS = 4_000;
const INSTANCES = [Symbol('first instance'), Symbol('second instance')] as const;

interface ModuleInstance {
  readonly refreshes: NotionRefreshService;
  readonly clients: NotionClientFactory;
}

let application: INestApplication;
let slowMs = 300;
let isClosed = false;
let shared: DataSource | undefined;

@Controller()
class SlowController {
  @Get('slow')
  async slow(): Promise<string> {
    report({ kind: 'request' });
    await sleep(slowMs);
    return 'finished';
  }
}

@Module({})
class HostModule {}

@Module({})
class FeatureModule {}

@Module({})
class DatabaseModule {}

/** Reports statements that come too late. */
class StatementLogger extends AbstractLogger {
  override writeLog(): void {
    if (isClosed) report({ kind: 'lateStatement' });
  }
}

subscribe('undici:client:sendHeaders', () => {
  report({ kind: 'sent' });
});
process.on('disconnect', () => process.exit(0));
process.on('message', (command: SignalHostCommand) => void carryOut(command));

async function carryOut(command: SignalHostCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      await start(command.setup);
      return;
    case 'refresh':
      for (const id of command.authorizationIds) void refresh(id, command.instance);
      report({ kind: 'begun' });
      return;
    case 'call':
      void instance(0)
        .clients.forAuthorization(command.authorizationId)
        .users.me({})
        .catch(() => undefined);
      report({ kind: 'begun' });
      return;
    case 'survive':
      handleSignals('survives');
      report({ kind: 'begun' });
      return;
    case 'close':
      await close();
  }
}

async function start(setup: SignalHostSetup): Promise<void> {
  slowMs = setup.slowMs ?? slowMs;
  if (setup.ignoresDefaultAction === true) process.kill = () => true;
  const second =
    setup.secondCopy === undefined ? library : ((await import(setup.secondCopy)) as typeof library);
  const copies = [library, second].slice(0, setup.modules ?? 1);
  const features = copies.map((copy, at) => feature(copy, setup, at));
  const imports = setup.sharesDataSource === true ? [await sharedDatabase(setup), ...features] : features;
  application = await NestFactory.create(
    { module: HostModule, imports, controllers: [SlowController] },
    { logger: ['error'], abortOnError: false },
  );
  application.useLogger({
    log: ignore,
    warn: ignore,
    error: (line: string) => {
      report({ kind: 'logged', line });
    },
  });
  if (setup.handling !== 'late') handleSignals(setup.handling);
  await application.listen(0, '127.0.0.1');
  if (setup.handling === 'late') handleSignals('on');
  // From now on the server holds the process, and after that nothing must.
  process.channel?.unref();
  report({ kind: 'listening', url: await application.getUrl() });
}

/** A DataSource that Nest does not close. */
async function sharedDatabase({ options }: SignalHostSetup): Promise<DynamicModule> {
  const { databaseUrl } = options;
  shared = await new DataSource({
    type: 'postgres',
    url: typeof databaseUrl === 'string' ? databaseUrl : '',
    entities: [...library.notionAuthEntities],
    logging: ['query'],
    logger: new StatementLogger(),
  }).initialize();
  const provider = { provide: getDataSourceToken(HOST), useValue: shared };
  return { module: DatabaseModule, global: true, providers: [provider], exports: [provider] };
}

/** One instance of the module, as a feature of an application has one of its own. */
function feature(
  copy: typeof library,
  { options, sharesDataSource = false }: SignalHostSetup,
  at: number,
): DynamicModule {
  const { NotionAuthModule, NotionClientFactory, NotionRefreshService } = copy;
  const routes = `instance-${at}`;
  const redirectUris = [`https://app.example/${routes}/callback`];
  const wiring = { resolveOwner: () => null, routes, isGlobal: false };
  const database = sharesDataSource ? { dataSource: HOST } : {};
  return {
    module: FeatureModule,
    imports: [NotionAuthModule.forRoot({ ...options, redirectUris, ...wiring, ...database })],
    providers: [
      {
        provide: INSTANCES[at as 0 | 1],
        useFactory: (refreshes: NotionRefreshService, clients: NotionClientFactory): ModuleInstance => ({
          refreshes,
          clients,
        }),
        inject: [NotionRefreshService, NotionClientFactory],
      },
    ],
  };
}

function handleSignals(handling: Exclude<SignalHandling, 'late'>): void {
  if (handling === 'hooks') application.enableShutdownHooks();
  for (const signal of SIGNALS) {
    if (handling === 'on') process.on(signal, () => void closeOn());
    if (handling === 'once')
      process.once(signal, () => void closeOn().then(() => process.kill(process.pid, signal)));
    if (handling === 'survives') process.on(signal, noteSignal);
  }
}

async function closeOn(): Promise<void> {
  noteSignal();
  await close();
}

function noteSignal(): void {
  report({ kind: 'signal' });
}

async function close(): Promise<void> {
  await application.close();
  isClosed = true;
  report({ kind: 'closed' });
  if (shared === undefined) return;
  await sleep(OUTLIVES_MS);
  await shared.destroy();
}

function ignore(): void {
  // Only errors are reported.
}

function instance(at: 0 | 1): ModuleInstance {
  return application.get<ModuleInstance>(INSTANCES[at], { strict: false });
}

async function refresh(authorizationId: string, at: 0 | 1): Promise<void> {
  const outcome = await instance(at)
    .refreshes.refresh(authorizationId, { trigger: 'manual' })
    .then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
    );
  report({ kind: 'outcome', authorizationId, outcome });
}

/** The parent may be gone. */
function report(what: SignalHostReport): void {
  if (process.connected) process.send?.(what, undefined, undefined, () => undefined);
}
