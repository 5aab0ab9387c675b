import { ConfigFindings } from './config-findings.js';
import { readCredentials } from './credential.rules.js';
import type { DevelopmentKeySource } from './development-key.js';
import { deepFreeze } from './deep-freeze.js';
import { readEncryptionKeys } from './encryption-keys.option.js';
import { DATABASE_FILE, readDatabase } from './database.option.js';
import { readUpstream } from './endpoint.rules.js';
import { readFlag } from './flag.option.js';
import { readLimits } from './limits.option.js';
import type { ClientSecretSource, GatheredOptions, NotionAuthConfig } from './notion-auth.options.js';
import type { NotionAuthWiring } from './notion-auth.wiring.js';
import { unknownOptions } from './option-names.js';
import { readPublicBasePaths, readRedirectUris } from './redirect-uris.option.js';
import { checkReturnOrigins } from './return-origins.rules.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ResolveContext extends Pick<NotionAuthWiring, 'dataSource'> {
  /** @defaultValue none: without configured keys the process makes one for itself. */
  readonly developmentKey?: DevelopmentKeySource;
}

/**
 * Checks the options and applies every default; an option that is `undefined` has its default.
 *
 * @throws {@link NotionConfigError} naming every problem at once, by option and variable, never by value.
 */
export function resolveConfig(
  options: GatheredOptions,
  environment: Environment = process.env,
  clientSecretSource: ClientSecretSource | null = null,
  { dataSource, developmentKey }: ResolveContext = {},
): NotionAuthConfig {
  const given = asObject(options);
  const findings = new ConfigFindings(given.problems);
  for (const name of unknownOptions(given)) findings.problem(name, 'is not an option');
  const production =
    readFlag('production', given.production, findings) ?? environment['NODE_ENV'] === 'production';
  const allowInsecure = readFlag('allowInsecureUrls', given.allowInsecureUrls, findings) ?? false;
  const urls = { production, allowInsecure };
  checkTlsVerification(production, environment, findings);

  // The application's own DataSource is never the embedded SQLite.
  const isShared = (given.databaseUrl ?? dataSource) !== undefined;
  const { databaseFile = DATABASE_FILE } = given;
  const upstream = readUpstream(given, urls, findings);
  const config: NotionAuthConfig = {
    ...readCredentials(given, findings),
    clientSecretSource,
    redirectUris: readRedirectUris(given, urls, findings),
    publicBasePaths: readPublicBasePaths(given, findings),
    encryptionKeys: readEncryptionKeys(
      given,
      { production, isShared, databaseFile, developmentKey },
      findings,
    ),
    allowMissingKeys: readFlag('allowMissingKeys', given.allowMissingKeys, findings) ?? false,
    ...upstream,
    production,
    ...readDatabase(given, { production, hasDataSource: dataSource !== undefined }, findings),
    ...readLimits(given, { apiBaseUrl: upstream.apiBaseUrl, environment }, findings),
    warnings: findings.warnings,
  };
  checkConnect(config, allowInsecure, findings);
  findings.throwIfAny();
  return deepFreeze(config);
}

function checkConnect(config: NotionAuthConfig, allowInsecure: boolean, findings: ConfigFindings): void {
  const { connect, production, redirectUris } = config;
  checkReturnOrigins(connect, { production, allowInsecure }, findings);
  if (connect.ownerFromState && production && redirectUris.some((uri) => uri.startsWith('http:'))) {
    findings.warning(
      'connect.ownerFromState',
      'trusts the cookie that binds a connect to its browser, and over http another host can set it; use https',
    );
  }
}

/** A factory in plain JavaScript may answer anything; nothing at all is reported as everything missing. */
function asObject(options: unknown): Partial<GatheredOptions> {
  return typeof options === 'object' && options !== null ? options : {};
}

function checkTlsVerification(production: boolean, environment: Environment, findings: ConfigFindings): void {
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return;
  if (production)
    findings.problem('NODE_TLS_REJECT_UNAUTHORIZED', 'switches TLS verification off; remove it');
  else
    findings.warning('NODE_TLS_REJECT_UNAUTHORIZED', 'switches TLS verification off; production refuses it');
}
