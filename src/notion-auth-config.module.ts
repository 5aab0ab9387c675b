import { Module } from '@nestjs/common';
import { provideDevelopmentKey } from './config/development-key.js';
import { gatherOptions } from './config/gather-options.js';
import {
  NOTION_AUTH_CONFIG,
  type NotionAuthConfig,
  type NotionAuthOptions,
} from './config/notion-auth.options.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './config/notion-auth.wiring.js';
import { resolveConfig } from './config/resolve-config.js';
import { Clock, SystemClock } from './domain/clock.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './notion-auth.module-definition.js';

/** The options, checked once. A module of its own, because the connection to the database is made from them. */
@Module({
  providers: [
    {
      provide: NOTION_AUTH_CONFIG,
      useFactory: configOf,
      inject: [MODULE_OPTIONS_TOKEN, NOTION_AUTH_WIRING],
    },
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [NOTION_AUTH_CONFIG, NOTION_AUTH_WIRING, Clock],
})
export class NotionAuthConfigModule extends ConfigurableModuleClass {}

async function configOf(given: NotionAuthOptions, wiring: NotionAuthWiring): Promise<NotionAuthConfig> {
  const { options, clientSecretSource } = await gatherOptions(given);
  return resolveConfig(options, process.env, clientSecretSource, {
    dataSource: wiring.dataSource,
    developmentKey: provideDevelopmentKey,
  });
}
