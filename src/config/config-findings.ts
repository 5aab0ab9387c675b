import { NotionConfigError } from '../domain/errors.js';
import type { OptionProblem } from './notion-auth.options.js';

/** The environment variable behind each option that has one. */
export const OPTION_VARIABLES: Readonly<Record<string, string>> = {
  clientId: 'NOTION_CLIENT_ID',
  clientSecret: 'NOTION_CLIENT_SECRET',
  clientSecretNext: 'NOTION_CLIENT_SECRET_NEXT',
  redirectUris: 'NOTION_REDIRECT_URIS',
  publicBasePath: 'NOTION_AUTH_PUBLIC_BASE_PATH',
  encryptionKeys: 'NOTION_AUTH_ENCRYPTION_KEYS',
  apiBaseUrl: 'NOTION_API_BASE_URL',
  issuer: 'NOTION_ISSUER',
  notionVersion: 'NOTION_VERSION',
  databaseUrl: 'NOTION_AUTH_DATABASE_URL',
  'databaseTls.ca': 'NOTION_AUTH_DATABASE_CA',
  databaseFile: 'NOTION_AUTH_DATABASE_PATH',
  runMigrations: 'NOTION_AUTH_RUN_MIGRATIONS',
  'connect.allowedReturnOrigins': 'NOTION_AUTH_RETURN_ORIGINS',
  'outbound.proxy': 'NOTION_AUTH_PROXY',
  'refresh.journalFolder': 'NOTION_AUTH_JOURNAL_DIR',
  'webhooks.verificationTokens': 'NOTION_WEBHOOK_VERIFICATION_TOKENS',
};

/** A verdict on something configured: what forbids starting, and what is only worth a look. */
export interface Verdict {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Collects what is wrong with the options, so that all of it is said at once. Rules never quote a value. */
export class ConfigFindings {
  readonly warnings: string[] = [];
  private readonly problems: string[];
  private readonly unreadable: ReadonlySet<string>;

  constructor(gathering: readonly OptionProblem[] = []) {
    this.unreadable = new Set(gathering.map(({ option }) => option));
    this.problems = gathering.map(({ option, rule }) => `${labelOf(option)}: ${rule}`);
  }

  problem(option: string, rule: string): void {
    // Without a value there is nothing to add to the reason why it could not be read.
    if (!this.unreadable.has(option)) this.problems.push(`${labelOf(option)}: ${rule}`);
  }

  warning(option: string, rule: string): void {
    this.warnings.push(`${labelOf(option)}: ${rule}`);
  }

  add(option: string, verdict: Verdict): void {
    for (const rule of verdict.problems) this.problem(option, rule);
    for (const rule of verdict.warnings) this.warning(option, rule);
  }

  /** @throws {@link NotionConfigError} naming every problem found. */
  throwIfAny(): void {
    if (this.problems.length > 0) throw new NotionConfigError(this.problems);
  }
}

/** As every message names an option: with its variable, where it has one. */
export function labelOf(option: string): string {
  const variable = OPTION_VARIABLES[option];
  return variable === undefined ? option : `${option} (${variable})`;
}
