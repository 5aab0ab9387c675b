import { randomUUID } from 'node:crypto';
import { type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from './config/notion-auth.options.js';
import type { NotionAuthWiring } from './config/notion-auth.wiring.js';
import { NotionConfigError, NotionStoreUnavailableError } from './domain/errors.js';
import { NotionDatabase } from './storage/notion-database.js';
import {
  NOTION_AUTH_DATA_SOURCE,
  openOwnDataSource,
  ownDataSourceOptions,
} from './storage/own-data-source.js';
import { prepareDatabase } from './storage/prepare-database.js';
import { NotionLogger } from './logging/notion.logger.js';

/** Three seconds apart, as `@nestjs/typeorm` spaces them. */
const SERVER_CONNECT_ATTEMPTS = 10;

export interface DatabaseWiring {
  readonly imports: readonly DynamicModule[];
  readonly provider: FactoryProvider<Promise<NotionDatabase>>;
}

/** The application's DataSource where one is named, else a connection of the module's own. */
export function wireDatabase(wiring: NotionAuthWiring, configModule: DynamicModule): DatabaseWiring {
  if (wiring.dataSource !== undefined) {
    return {
      imports: [],
      provider: databaseProvider(getDataSourceToken(wiring.dataSource), wiring.dataSource),
    };
  }
  // Unique, so that two modules in one process never share or override a connection.
  const name = `${NOTION_AUTH_DATA_SOURCE}-${randomUUID()}`;
  return {
    imports: [ownConnection(name, configModule)],
    provider: databaseProvider(getDataSourceToken(name), null),
  };
}

function ownConnection(name: string, configModule: DynamicModule): DynamicModule {
  let location: NotionAuthConfig;
  return TypeOrmModule.forRootAsync({
    name,
    imports: [configModule],
    inject: [NOTION_AUTH_CONFIG],
    useFactory: (config: NotionAuthConfig) => {
      location = config;
      return {
        ...ownDataSourceOptions(config),
        // `@nestjs/typeorm` 11 looks for it here, and nowhere else, when the application ends.
        name,
        // A server may come up after us; a file that cannot be opened now cannot be opened in three seconds either.
        retryAttempts: config.databaseUrl === null ? 0 : SERVER_CONNECT_ATTEMPTS,
        toRetry: (error) => error instanceof NotionStoreUnavailableError,
      };
    },
    dataSourceFactory: (options) => openOwnDataSource(location, options),
  });
}

function databaseProvider(
  token: ReturnType<typeof getDataSourceToken>,
  /** Name of the application's DataSource; `null` for the module's own. */
  applicationName: string | null,
): FactoryProvider<Promise<NotionDatabase>> {
  return {
    provide: NotionDatabase,
    inject: [{ token, optional: applicationName !== null }, NOTION_AUTH_CONFIG],
    useFactory: async (dataSource: DataSource | undefined, config: NotionAuthConfig) => {
      if (dataSource === undefined) throw unknownDataSource(String(applicationName));
      const owned = applicationName === null;
      const database = await prepareDatabase(dataSource, { owned, runMigrations: config.runMigrations });
      for (const warning of database.warnings) new NotionLogger('NotionAuthModule').warn(warning);
      return database;
    },
  };
}

function unknownDataSource(name: string): NotionConfigError {
  return new NotionConfigError([
    `dataSource: there is no DataSource named "${name}". Import TypeOrmModule.forRoot or forRootAsync with this name in the root module. ` +
      'If it is imported there, a second copy of @nestjs/typeorm or typeorm is installed, and this module loads the other one: ' +
      'npm ls @nestjs/typeorm typeorm shows both; align their versions, and run npm dedupe',
  ]);
}
