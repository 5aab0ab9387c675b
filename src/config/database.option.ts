import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { readDatabaseUrl, TLS_FIELDS, type DatabaseUrl, type TlsRequest } from './database-url.js';
import { parse } from './endpoint.rules.js';
import { readFlag } from './flag.option.js';
import type { DatabaseTls, NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';

const DATABASE_PROTOCOLS = ['postgres:', 'postgresql:', 'mysql:', 'mariadb:'];
export const DATABASE_FILE = './data/notion-auth.sqlite';
const IN_MEMORY = ':memory:';

export interface DatabaseSurroundings {
  readonly production: boolean;
  /** Whether the application brings its own DataSource. */
  readonly hasDataSource: boolean;
}

type DatabaseConfig = Pick<
  NotionAuthConfig,
  'databaseUrl' | 'databaseTls' | 'databaseFile' | 'runMigrations'
>;

/** Where authorizations are kept, unless the application brings its own DataSource. */
export function readDatabase(
  options: Partial<NotionAuthOptions>,
  { production, hasDataSource }: DatabaseSurroundings,
  findings: ConfigFindings,
): DatabaseConfig {
  const { databaseFile } = options;
  const url = readUrl(options.databaseUrl, findings);
  if (databaseFile !== undefined && (typeof databaseFile !== 'string' || databaseFile.trim() === '')) {
    findings.problem('databaseFile', 'must be a file name');
  }
  if (url !== null && databaseFile !== undefined) {
    findings.warning('databaseFile', 'is not used, because databaseUrl is set');
  }
  if (production && url === null && !hasDataSource) warnOfEmbedded(databaseFile, findings);
  return {
    databaseUrl: url === null ? null : new Secret(url.url),
    databaseTls: readTls(options.databaseTls, url, findings),
    databaseFile: databaseFile ?? DATABASE_FILE,
    runMigrations: readFlag('runMigrations', options.runMigrations, findings) ?? null,
  };
}

function readUrl(given: NotionAuthOptions['databaseUrl'], findings: ConfigFindings): DatabaseUrl | null {
  const url = given instanceof Secret ? given.reveal() : (given ?? null);
  if (url === null) return null;
  if (!DATABASE_PROTOCOLS.includes(parse(url)?.protocol ?? '')) {
    findings.problem('databaseUrl', `must be a URL that begins with ${DATABASE_PROTOCOLS.join(', ')}`);
    return { family: 'postgres', url, tls: null, problems: [] };
  }
  const read = readDatabaseUrl(url);
  for (const problem of read.problems) findings.problem('databaseUrl', problem);
  return read;
}

/** A container's own file system ends with the container. */
function warnOfEmbedded(databaseFile: unknown, findings: ConfigFindings): void {
  if (databaseFile === undefined) {
    findings.warning(
      'databaseFile',
      `is not set in production, so authorizations are kept in ${DATABASE_FILE} below the working directory, where a new container does not find them; set it to a file on a persistent volume, or set NOTION_AUTH_DATABASE_URL to a PostgreSQL, MySQL or MariaDB database`,
    );
  } else if (databaseFile === IN_MEMORY) {
    findings.warning(
      'databaseFile',
      'keeps authorizations in memory only, so every user must reconnect after a restart; set it to a file on a persistent volume, or set NOTION_AUTH_DATABASE_URL',
    );
  }
}

function readTls(
  given: NotionAuthOptions['databaseTls'],
  url: DatabaseUrl | null,
  findings: ConfigFindings,
): NotionAuthConfig['databaseTls'] {
  if (given !== undefined && typeof given !== 'boolean' && !isTlsOptions(given)) {
    findings.problem('databaseTls', `must be true, false or an object with ${TLS_FIELDS.join(', ')}`);
    return null;
  }
  if (url === null) {
    if (given !== undefined && given !== false)
      findings.warning('databaseTls', 'is not used, because databaseUrl is not set');
    return null;
  }
  if (
    (given === false && url.tls !== null && url.tls !== false) ||
    (url.tls === false && given !== undefined && given !== false)
  ) {
    findings.problem('databaseTls', 'contradicts databaseUrl: one of them switches TLS on and the other off');
    return null;
  }
  if (given === false || url.tls === false) return false;
  if (given === undefined && url.tls === null) return null;
  const fromUrl = url.tls ?? {};
  if (!isTlsOptions(fromUrl)) {
    findings.problem('databaseUrl', `its parameter ssl may have the fields ${TLS_FIELDS.join(', ')} only`);
    return null;
  }
  return resolveTls({ ...fromUrl, ...(typeof given === 'object' ? given : {}) }, url, findings);
}

function isTlsOptions(value: unknown): value is TlsRequest {
  if (typeof value !== 'object' || value === null) return false;
  const { rejectUnauthorized, key, ...texts } = value as Record<string, unknown>;
  const known = [...TLS_FIELDS, 'verification'] as readonly string[];
  return (
    Object.keys(value).every((name) => known.includes(name)) &&
    ['undefined', 'boolean'].includes(typeof rejectUnauthorized) &&
    (key === undefined || typeof key === 'string' || key instanceof Secret) &&
    Object.values(texts).every((text) => text === undefined || typeof text === 'string')
  );
}

function resolveTls(tls: TlsRequest, { family, url }: DatabaseUrl, findings: ConfigFindings): DatabaseTls {
  const { ca = null, cert = null, servername = null } = tls;
  const key = typeof tls.key === 'string' ? new Secret(tls.key) : (tls.key ?? null);
  let verification = verificationOf(tls);
  if (verification === 'none') {
    findings.warning(
      'databaseTls',
      'encrypts without verifying the certificate of the database server; verify it with sslmode=verify-full and, for a private certificate authority, NOTION_AUTH_DATABASE_CA_FILE',
    );
  }
  if (family === 'mysql' && servername !== null) {
    findings.problem('databaseTls', 'servername is supported for PostgreSQL only');
  }
  if (family === 'mysql' && verification === 'identity' && isIP(hostOf(url)) !== 0) {
    if (ca === null || tls.verification === 'identity') {
      findings.problem(
        'databaseTls',
        'the driver mysql2 cannot compare a certificate with an IP address; use the name of the host in databaseUrl, or ssl-mode=VERIFY_CA with ssl-ca',
      );
    } else {
      findings.warning(
        'databaseTls',
        'verifies the certificate authority only, because the driver mysql2 cannot compare a certificate with an IP address',
      );
      verification = 'authority';
    }
  }
  checkPem({ ca, cert, key }, findings);
  return { ca, cert, key, servername, verification };
}

/** A private authority vouches for its servers alone; of a public one anybody has a certificate. */
function verificationOf(tls: TlsRequest): DatabaseTls['verification'] {
  if (tls.rejectUnauthorized !== undefined) return tls.rejectUnauthorized ? 'identity' : 'none';
  switch (tls.verification) {
    case 'none':
      return tls.ca === undefined ? 'none' : 'authority';
    case 'authority':
      return tls.ca === undefined ? 'identity' : 'authority';
    default:
      return 'identity';
  }
}

function hostOf(url: string): string {
  return parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
}

function checkPem(
  { ca, cert, key }: Pick<DatabaseTls, 'ca' | 'cert' | 'key'>,
  findings: ConfigFindings,
): void {
  if (ca !== null && !isPem({ ca })) {
    findings.problem(
      'databaseTls.ca',
      'is not a certificate in PEM; name a file with NOTION_AUTH_DATABASE_CA_FILE',
    );
  }
  if ((cert === null) !== (key === null)) {
    findings.problem('databaseTls', 'cert and key belong together: set both or neither');
  } else if (cert !== null && key !== null && !isPem({ cert, key: key.reveal() })) {
    findings.problem('databaseTls', 'cert and key are not a certificate and its private key in PEM');
  }
}

function isPem(material: { ca?: string; cert?: string; key?: string }): boolean {
  try {
    createSecureContext(material);
    return Object.values(material).every((text) => text.includes('-----BEGIN '));
  } catch {
    return false;
  }
}
