import { readFileSync } from 'node:fs';
import { Secret } from '../domain/secret.js';
import type { DatabaseTls, DatabaseTlsOptions } from './notion-auth.options.js';

/** What is said about TLS, by the URL or the option. */
export type TlsRequest = DatabaseTlsOptions & { readonly verification?: DatabaseTls['verification'] };

export interface DatabaseUrl {
  readonly family: 'postgres' | 'mysql';
  /** Without the parameters of TLS. */
  readonly url: string;
  /** `false`: clear text is demanded. `null`: the URL says nothing about TLS. */
  readonly tls: TlsRequest | false | null;
  readonly problems: readonly string[];
}

type Mode = Exclude<DatabaseUrl['tls'], null>;

/**
 * By the names of PostgreSQL and of MySQL, compared without case, `-` and `_`.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 * @see https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode
 */
const MODES: Readonly<Record<string, Mode | 'required'>> = {
  disable: false,
  disabled: false,
  require: 'required',
  required: 'required',
  verifyca: { verification: 'authority' },
  verifyfull: { verification: 'identity' },
  verifyidentity: { verification: 'identity' },
  noverify: { rejectUnauthorized: false },
};

/** `node-postgres` verifies, MySQL's own clients encrypt only. */
const REQUIRED: Readonly<Record<DatabaseUrl['family'], Mode>> = {
  postgres: {},
  mysql: { verification: 'none' },
};

const SWITCHES: Readonly<Record<string, Mode>> = { true: {}, '1': {}, false: false, '0': false };

const FILES: Readonly<Record<string, 'ca' | 'cert' | 'key'>> = {
  sslrootcert: 'ca',
  sslca: 'ca',
  sslcert: 'cert',
  sslkey: 'key',
};

/** Those that `node-postgres` takes from a URL. `mysql2` is given none. */
const PASSED_ON: Readonly<Record<DatabaseUrl['family'], readonly string[]>> = {
  postgres: [
    'application_name',
    'client_encoding',
    'fallback_application_name',
    'host',
    'idle_in_transaction_session_timeout',
    'lock_timeout',
    'options',
    'port',
    'query_timeout',
    'statement_timeout',
  ],
  mysql: [],
};

const SWITCH_ON =
  'sslmode=verify-full switches TLS on, with sslrootcert=FILE for a private certificate authority';

export const TLS_FIELDS = ['ca', 'cert', 'key', 'rejectUnauthorized', 'servername'] as const;

/** Takes the parameters of TLS out of a URL. Nothing is ignored: a parameter that is not supported is a problem. */
export function readDatabaseUrl(given: string): DatabaseUrl {
  const family = given.startsWith('postgres') ? 'postgres' : 'mysql';
  const start = given.indexOf('?');
  if (start === -1) return { family, url: given, tls: null, problems: [] };
  const reader = new ParameterReader(family);
  const kept = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(given.slice(start + 1))) {
    if (PASSED_ON[family].includes(name)) kept.append(name, value);
    else reader.read(name, value);
  }
  const query = kept.size === 0 ? '' : `?${kept.toString()}`;
  return { family, url: given.slice(0, start) + query, tls: reader.tls, problems: reader.problems };
}

class ParameterReader {
  readonly problems: string[] = [];
  private mode: Mode | null = null;
  private files: Partial<Record<'ca' | 'cert' | 'key', string>> = {};

  constructor(private readonly family: DatabaseUrl['family']) {}

  get tls(): DatabaseUrl['tls'] {
    const { key, ...certificates } = this.files;
    const files = { ...certificates, ...(key === undefined ? {} : { key: new Secret(key) }) };
    if (Object.keys(files).length === 0) return this.mode;
    if (this.mode !== false) return { ...files, ...this.mode };
    this.problems.push('switches TLS off and names a certificate: keep one of the two');
    return false;
  }

  read(name: string, value: string): void {
    const known = folded(name);
    const file = FILES[known];
    if (file !== undefined) this.readFile(name, file, value);
    else if (known === 'sslmode')
      this.setMode(name, this.modeOf(value), 'disable, require, verify-ca or verify-full');
    else if (known === 'ssl')
      this.setMode(
        name,
        SWITCHES[value] ?? this.fieldsOf(value),
        'true, false or a JSON object with ca, cert, key and rejectUnauthorized',
      );
    else this.problems.push(this.unsupported(name));
  }

  private unsupported(name: string): string {
    const supported = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl', ...PASSED_ON[this.family]];
    return `its parameter ${printable(name)} is not supported; remove it. Supported are ${supported.join(', ')}; ${SWITCH_ON}`;
  }

  private setMode(name: string, mode: Mode | undefined, allowed: string): void {
    if (mode === undefined) {
      this.problems.push(
        `its parameter ${printable(name)} must be ${allowed}; a mode that may fall back to clear text is not supported`,
      );
    } else if (this.mode !== null) {
      this.problems.push('says twice whether to use TLS: keep one of the parameters ssl and sslmode');
    } else {
      this.mode = mode;
    }
  }

  private modeOf(value: string): Mode | undefined {
    const mode = MODES[folded(value)];
    return mode === 'required' ? REQUIRED[this.family] : mode;
  }

  private fieldsOf(json: string): Mode | undefined {
    try {
      const fields: unknown = JSON.parse(json);
      const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
      return isObject ? fields : undefined;
    } catch {
      return undefined;
    }
  }

  private readFile(name: string, field: 'ca' | 'cert' | 'key', path: string): void {
    // libpq's word for the authorities of the system; Node.js has its own list.
    if (field === 'ca' && path === 'system') return;
    try {
      this.files[field] = readFileSync(path, 'utf8');
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      this.problems.push(`the file of its parameter ${name} cannot be read (${code}): ${path}`);
    }
  }
}

function folded(text: string): string {
  return text.toLowerCase().replace(/[-_]/g, '');
}

/** A `?` in a password that is not encoded would make the rest of it a parameter. */
function printable(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? `"${name}"` : 'of an unusual name';
}
