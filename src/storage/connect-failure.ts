import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { labelOf } from '../config/config-findings.js';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionAuthError, NotionConfigError, NotionStoreUnavailableError } from '../domain/errors.js';
import { driverCodes, isRejectedForGood } from './database-errors.js';
import { explainUnbuiltDriver } from './sqlite-driver.js';

/** Where the module's own database is. */
export type DatabaseLocation = Pick<NotionAuthConfig, 'databaseUrl' | 'databaseFile'> &
  Partial<Pick<NotionAuthConfig, 'databaseTls'>>;

/** Codes of Node.js and OpenSSL, and the one that `mysql2` puts in their place. */
const NOT_TRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_\w+|HANDSHAKE_SSL_ERROR)$/;

/** `pg` has a message for this, and `mysql2` a code. */
const NO_TLS = /HANDSHAKE_NO_SSL_SUPPORT|server does not support SSL connections/;

/** PostgreSQL without an entry for clear text in `pg_hba.conf`; `require_secure_transport` of MySQL and MariaDB. */
const TLS_DEMANDED = /no pg_hba\.conf entry .*(?:no encryption|SSL off)|insecure transport/;

const REJECTIONS: ReadonlyMap<string | number, string> = new Map<string | number, string>([
  [
    '28P01',
    'the server rejects the user or the password; correct them, and percent-encode special characters',
  ],
  ['28000', 'the server rejects this user from this host; correct the user, or allow it in pg_hba.conf'],
  ['3D000', 'the database does not exist; create it, or correct its name'],
  [
    1045,
    'the server rejects the user or the password; correct them, percent-encode special characters, and add ssl-mode=VERIFY_IDENTITY to the URL where the server or the user demands TLS',
  ],
  [1698, 'the server rejects the user or the password; correct them, and percent-encode special characters'],
  [1044, 'the user has no access to this database; grant it, or correct the name'],
  [1049, 'the database does not exist; create it, or correct its name'],
]);

const FILE_CODES =
  /^(?:E(?:ACCES|EXIST|PERM|ROFS|NOENT|NOTDIR|ISDIR|NOSPC|DQUOT)|SQLITE_(?:CANTOPEN|READONLY|FULL|IOERR|PERM|NOTADB)\w*)$/;

/**
 * Says what keeps the module's own database from being opened, and what to do. Never quotes the URL.
 * @returns A {@link NotionConfigError} for what a retry cannot change, a {@link NotionStoreUnavailableError} for the
 * rest, and the error as it is where nothing is known about it.
 */
export function explainConnectFailure(error: unknown, location: DatabaseLocation): unknown {
  if (error instanceof NotionAuthError) return error;
  if (location.databaseUrl === null)
    return explainUnbuiltDriver(error) ?? explainFileFailure(error, location.databaseFile);
  const rule = ruleOf(error, location);
  if (rule !== null) return new NotionConfigError([`${labelOf('databaseUrl')}: ${rule}`]);
  return new NotionStoreUnavailableError({
    cause: error,
    detail: `The database of NOTION_AUTH_DATABASE_URL cannot be reached (${codeOf(error)}). Check that it runs, that it accepts connections from this machine, and that host and port are right.`,
  });
}

/** @returns A {@link NotionConfigError} where the file system or the disk is the reason, else the error as it is. */
export function explainFileFailure(error: unknown, databaseFile: string): unknown {
  const code = driverCodes(error).find((value) => typeof value === 'string' && FILE_CODES.test(value));
  if (code === undefined) return error;
  const uid = process.getuid?.();
  const user =
    uid === undefined ? 'the user of this process' : `the user of this process (uid ${String(uid)})`;
  const what =
    code === 'SQLITE_NOTADB'
      ? `is not a SQLite database (${code})`
      : `cannot be written (${String(code)}): the folder ${dirname(resolve(databaseFile))} must be on a writable, persistent volume with free space and belong to ${user}`;
  return new NotionConfigError([
    `${labelOf('databaseFile')}: the embedded database ${databaseFile} ${what}. Set databaseFile to a file in such a folder, or set NOTION_AUTH_DATABASE_URL to a PostgreSQL, MySQL or MariaDB database.`,
  ]);
}

/** `null`: it may pass with time. */
function ruleOf(error: unknown, location: DatabaseLocation): string | null {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  if (NO_TLS.test(`${code} ${message}`))
    return `the server offers no TLS; switch it on there, or, in a network that you trust, set sslmode=disable`;
  if (TLS_DEMANDED.test(message))
    return `the server accepts TLS connections only (${code}); add sslmode=verify-full to the URL, and for a private certificate authority set NOTION_AUTH_DATABASE_CA_FILE`;
  if (NOT_TRUSTED.test(code)) return certificateRule(error, code, location);
  const rejection = driverCodes(error).flatMap((value) => REJECTIONS.get(value) ?? [])[0];
  if (rejection !== undefined) return `${rejection} (${code})`;
  return isRejectedForGood(error) ? `the server rejects the connection (${code}): ${message}` : null;
}

function certificateRule(error: unknown, code: string, { databaseTls }: DatabaseLocation): string {
  const { message, reason } = error as Error & { reason?: string };
  const why = reason ?? message;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || why.includes('altnames'))
    return `the certificate of the database server is for another host name (${why.replace(/\.$/, '')}); use a name of the certificate in the URL, or set databaseTls.servername (PostgreSQL)`;
  const ca = databaseTls ? databaseTls.ca : null;
  const trust =
    ca === null
      ? 'its authority is none that Node.js knows; name the file with the certificate of the authority in NOTION_AUTH_DATABASE_CA_FILE, or with sslrootcert in the URL'
      : `the configured certificate authority (${subjectOf(ca)}) did not sign it; set NOTION_AUTH_DATABASE_CA_FILE, or sslrootcert in the URL, to the authority of this server`;
  return `the certificate of the database server is not trusted (${code}: ${why}): ${trust}`;
}

function subjectOf(pem: string): string {
  return new X509Certificate(pem).subject.replaceAll('\n', ', ');
}

/** The driver's code rather than its message, which may quote the address with its password. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}
