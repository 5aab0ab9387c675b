import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import { maskedOptions } from './config/masked-options.js';
import type { NotionAuthOptions } from './config/notion-auth.options.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './config/notion-auth.wiring.js';

/** Every key is listed, also without a default: the builder tells wiring from options by them. */
const DEFAULT_WIRING: { [Key in keyof Required<NotionAuthWiring>]: NotionAuthWiring[Key] } = {
  isGlobal: true,
  dataSource: undefined,
  routes: 'notion',
  servesCallback: true,
  routeMetadata: undefined,
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
        ...(definition.providers ?? []).map(keepMasked),
        { provide: NOTION_AUTH_WIRING, useValue: wiringOf(given) },
      ],
    }))
    .build();

/** The builder's own provider of the options, in either of its two forms. */
function keepMasked(provider: Provider): Provider {
  if (!('provide' in provider) || provider.provide !== MODULE_OPTIONS_TOKEN) return provider;
  if ('useValue' in provider)
    return { ...provider, useValue: maskedOptions(provider.useValue as NotionAuthOptions) };
  if (!('useFactory' in provider)) return provider;
  const make = provider.useFactory as (...dependencies: unknown[]) => Promise<NotionAuthOptions>;
  return { ...provider, useFactory: async (...given: unknown[]) => maskedOptions(await make(...given)) };
}

/** The wiring alone, with its defaults: `forRoot` takes it in one object together with the options. */
export function wiringOf(given: NotionAuthWiring): NotionAuthWiring {
  return {
    isGlobal: given.isGlobal ?? DEFAULT_WIRING.isGlobal,
    dataSource: given.dataSource,
    routes: given.servesCallback === false ? false : (given.routes ?? DEFAULT_WIRING.routes),
    servesCallback: given.servesCallback ?? DEFAULT_WIRING.servesCallback,
    routeMetadata: given.routeMetadata,
    providers: given.providers,
    resolveOwner: given.resolveOwner,
    resolveAuthorization: given.resolveAuthorization,
  };
}
