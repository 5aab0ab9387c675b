import { readFileSync } from 'node:fs';
import { registerAs } from '@nestjs/config';
import { Secret } from '../domain/secret.js';
import { OPTION_VARIABLES } from './config-findings.js';
import type { EncryptionKeyOption } from '../domain/key-provider.js';
import type { GatheredOptions, OptionProblem } from './notion-auth.options.js';

/** Entries of a list that are looked at; the rules refuse lists of far fewer. */
const MOST_ENTRIES = 1_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The options as environment variables give them, for `NotionAuthModule.forRootAsync(notionAuthConfig.asProvider())`.
 * Each variable may be replaced by one of the same name with `_FILE` at its end, which names a file to read.
 */
export const notionAuthConfig = registerAs('notionAuth', () => optionsFromEnvironment(process.env));

/**
 * Reads variables and files, and judges neither: what could not be read is in `problems`, and `resolveConfig` reports
 * it together with everything else. An empty variable counts as not set. Secrets come wrapped, so that printing a
 * `ConfigService` shows none.
 */
export function optionsFromEnvironment(environment: Environment): GatheredOptions {
  const problems: OptionProblem[] = [];
  const read = (option: string): string | undefined => {
    const { value, rule } = readVariable(environment, OPTION_VARIABLES[option]!);
    if (rule !== undefined) problems.push({ option, rule });
    return value;
  };
  const readSecret = (option: string) => {
    const value = read(option);
    return value === undefined ? undefined : new Secret(value);
  };
  const readSecrets = (option: string) =>
    read(option)
      ?.split(',', MOST_ENTRIES)
      .map((entry) => new Secret(entry.trim()));
  const keys = read('encryptionKeys');
  const ca = read('databaseTls.ca');
  return {
    clientId: read('clientId') ?? '',
    clientSecret: readSecret('clientSecret') ?? '',
    clientSecretNext: readSecret('clientSecretNext'),
    redirectUris: read('redirectUris')?.split(',', MOST_ENTRIES) ?? [],
    publicBasePath: read('publicBasePath')?.split(',', MOST_ENTRIES),
    encryptionKeys: keys === undefined ? undefined : parseKeys(keys),
    apiBaseUrl: read('apiBaseUrl'),
    issuer: read('issuer'),
    notionVersion: read('notionVersion'),
    databaseUrl: readSecret('databaseUrl'),
    databaseTls: ca === undefined ? undefined : { ca },
    databaseFile: read('databaseFile'),
    runMigrations: asFlag(read('runMigrations')),
    connect: {
      allowedReturnOrigins: read('connect.allowedReturnOrigins')
        ?.split(',', MOST_ENTRIES)
        .map((origin) => origin.trim()),
    },
    outbound: { proxy: readSecret('outbound.proxy') },
    refresh: { journalFolder: read('refresh.journalFolder') },
    webhooks: { verificationTokens: readSecrets('webhooks.verificationTokens') },
    problems,
  };
}

/** Another text is left as it is, for `resolveConfig` to report. */
function asFlag(text: string | undefined): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : (text as undefined);
}

interface Reading {
  readonly value?: string;
  readonly rule?: string;
}

function readVariable(environment: Environment, name: string): Reading {
  const value = environment[name] === '' ? undefined : environment[name];
  const fileName = environment[`${name}_FILE`] === '' ? undefined : environment[`${name}_FILE`];
  if (fileName === undefined) return { value };
  if (value !== undefined) return { rule: `both ${name} and ${name}_FILE are set; keep one` };
  return readSecretFile(`${name}_FILE`, fileName);
}

/** Says why a file cannot be read, but not its name: someone may have put the secret itself there. */
function readSecretFile(variable: string, fileName: string): Reading {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(fileName));
    const value = text.replace(/\r?\n$/, '');
    return value === '' ? { rule: `the file that ${variable} names is empty` } : { value };
  } catch (error) {
    return { rule: `the file that ${variable} names cannot be read (${errorCodeOf(error)})` };
  }
}

/** The system's own code (`EACCES`); a message may quote a path. */
export function errorCodeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}

/** The key ring as `NOTION_AUTH_ENCRYPTION_KEYS` and key files have it: `id:base64`, separated by commas or lines. */
export function parseKeys(text: string): EncryptionKeyOption[] {
  return text.split(/[,\n]/, MOST_ENTRIES).map(parseKeyEntry);
}

/** `id:base64`. Without a colon all of it is taken for the key, and the missing id is reported. */
function parseKeyEntry(entry: string): EncryptionKeyOption {
  const colon = entry.indexOf(':');
  const id = entry.slice(0, Math.max(colon, 0)).trim();
  return { id, key: new Secret(entry.slice(colon + 1).trim()) };
}
