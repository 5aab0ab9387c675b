import { ConfigFindings } from './config-findings.js';
import { readCredentials } from './credential.rules.js';
import { deepFreeze } from './deep-freeze.js';
import { readEncryptionKeys } from './encryption-keys.option.js';
import { readDatabase, readUpstream } from './endpoint.rules.js';
import { readFlag } from './flag.option.js';
import { readLimits } from './limits.option.js';
import type { ClientSecretSource, GatheredOptions, NotionAuthConfig } from './notion-auth.options.js';
import type { NotionAuthWiring } from './notion-auth.wiring.js';
import { unknownOptions } from './option-names.js';
import { readRedirectUris } from './redirect-uris.option.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks the options and applies every default; an option that is `undefined` has its default.
 *
 * @throws {@link NotionConfigError} naming every problem at once, by option and variable, never by value.
 */
export function resolveConfig(
  options: GatheredOptions,
  environment: Environment = process.env,
  clientSecretSource: ClientSecretSource | null = null,
  { dataSource }: Pick<NotionAuthWiring, 'dataSource'> = {},
): NotionAuthConfig {
  const given = asObject(options);
  const findings = new ConfigFindings(given.problems);
  for (const name of unknownOptions(given)) findings.problem(name, 'is not an option');
  const production =
    readFlag('production', given.production, findings) ?? environment['NODE_ENV'] === 'production';
  checkTlsVerification(production, environment, findings);

  // The application's own DataSource is never the embedded SQLite.
  const isShared = (given.databaseUrl ?? dataSource) !== undefined;
  const upstream = readUpstream(given, production, findings);
  const config: NotionAuthConfig = {
    ...readCredentials(given, findings),
    clientSecretSource,
    redirectUris: readRedirectUris(given, production, findings),
    encryptionKeys: readEncryptionKeys(given, { production, isShared }, findings),
    allowMissingKeys: readFlag('allowMissingKeys', given.allowMissingKeys, findings) ?? false,
    ...upstream,
    production,
    ...readDatabase(given, findings),
    ...readLimits(given, { apiBaseUrl: upstream.apiBaseUrl, environment }, findings),
    warnings: findings.warnings,
  };
  findings.throwIfAny();
  return deepFreeze(config);
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
