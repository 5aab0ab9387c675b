import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  notionAuthEntities,
  NotionAuthModule,
  type NotionAuthOptions,
  type NotionAuthWiring,
} from 'nestjs-notion-auth';
import { openWholePool } from './host.work.js';
import type { ReplicaSetup } from './replica.messages.js';
import { WATCHED_PROVIDERS } from './watched.providers.js';

const HOST = 'host';

@Module({})
class ReplicaModule {}

/** A Nest application as people write it, with the library in it. */
export async function startApplication(
  options: NotionAuthOptions,
  setup: ReplicaSetup = {},
): Promise<INestApplicationContext> {
  const { watched = false, hostPool, log = process.env['REPLICA_LOG'] !== undefined } = setup;
  const wiring: NotionAuthWiring = {
    routes: false,
    ...(watched ? { providers: WATCHED_PROVIDERS } : {}),
    ...(hostPool === undefined ? {} : { dataSource: HOST }),
  };
  const application = await NestFactory.createApplicationContext(
    {
      module: ReplicaModule,
      imports: [
        ...(hostPool === undefined ? [] : [hostDatabase(options, hostPool)]),
        NotionAuthModule.forRoot({ ...options, ...wiring }),
      ],
    },
    { logger: log ? ['log', 'warn', 'error'] : false, abortOnError: false },
  );
  application.enableShutdownHooks();
  if (hostPool !== undefined) await openWholePool(hostDataSource(application), hostPool);
  return application;
}

/** The host application's own DataSource, on the database that the options name. */
export function hostDataSource(application: INestApplicationContext): DataSource {
  return application.get<DataSource>(getDataSourceToken(HOST), { strict: false });
}

function hostDatabase({ databaseUrl }: NotionAuthOptions, poolSize: number) {
  if (typeof databaseUrl !== 'string') throw new Error('A host pool needs a database URL.');
  return TypeOrmModule.forRoot({
    name: HOST,
    type: 'postgres',
    url: databaseUrl,
    poolSize,
    entities: [...notionAuthEntities],
    applicationName: 'host',
  });
}
