import type { NotionAuthOptions } from './notion-auth.options.js';
import type { NotionAuthWiring } from './notion-auth.wiring.js';

const OPTION_NAMES = {
  clientId: true,
  clientSecret: true,
  clientSecretNext: true,
  redirectUris: true,
  publicBasePath: true,
  encryptionKeys: true,
  apiBaseUrl: true,
  issuer: true,
  notionVersion: true,
  production: true,
  allowInsecureUrls: true,
  allowMissingKeys: true,
  databaseUrl: true,
  databaseTls: true,
  databaseFile: true,
  runMigrations: true,
  refresh: true,
  connect: true,
  outbound: true,
  revocation: true,
  webhooks: true,
  events: true,
  health: true,
  problems: true,
} satisfies Record<keyof NotionAuthOptions, true>;

/** `forRoot` takes both in one object. */
const WIRING_NAMES = {
  isGlobal: true,
  dataSource: true,
  routes: true,
  servesCallback: true,
  routeMetadata: true,
  providers: true,
  resolveOwner: true,
  resolveAuthorization: true,
} satisfies Record<keyof NotionAuthWiring, true>;

/** Names that no option has: a misspelt option would silently have its default. */
export function unknownOptions(options: object): string[] {
  return Object.keys(options).filter((name) => !(name in OPTION_NAMES) && !(name in WIRING_NAMES));
}
