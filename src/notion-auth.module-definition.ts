import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { NotionAuthOptions } from './config/notion-auth.options.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './config/notion-auth.wiring.js';

/** Every key is listed, also without a default: the builder tells wiring from options by them. */
const DEFAULT_WIRING: { [Key in keyof Required<NotionAuthWiring>]: NotionAuthWiring[Key] } = {
  isGlobal: true,
  dataSource: undefined,
  routes: 'notion',
  providers: undefined,
  resolveOwner: undefined,
  resolveAuthorization: undefined,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<NotionAuthOptions>({ moduleName: 'NotionAuth' })
    .setClassMethodName('forRoot')
    .setExtras<NotionAuthWiring>(DEFAULT_WIRING, (definition, given) => ({
      ...definition,
      providers: [
        ...(definition.providers ?? []),
        { provide: NOTION_AUTH_WIRING, useValue: wiringOf(given) },
      ],
    }))
    .build();

/** The wiring alone, with its defaults: `forRoot` takes it in one object together with the options. */
export function wiringOf(given: NotionAuthWiring): NotionAuthWiring {
  return {
    isGlobal: given.isGlobal ?? DEFAULT_WIRING.isGlobal,
    dataSource: given.dataSource,
    routes: given.routes ?? DEFAULT_WIRING.routes,
    providers: given.providers,
    resolveOwner: given.resolveOwner,
    resolveAuthorization: given.resolveAuthorization,
  };
}
