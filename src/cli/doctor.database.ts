import { existsSync } from 'node:fs';
import { OBSTACLE_TEXTS } from '../storage/database-identity.js';
import { inspectDatabase, type DatabaseInspection } from '../storage/inspect-database.js';
import { EPHEMERAL_KEY_PREFIX } from '../config/encryption-keys.option.js';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionAuthError, NotionConfigError } from '../domain/errors.js';
import type { Findings } from './doctor.findings.js';

const CLOCK_WARN_MS = SECOND_MS;
const CLOCK_FAIL_MS = 30 * SECOND_MS;

/** The database: there, up to date, able to lock, on time, and in need of no key that is missing. */
export async function databaseFindings(config: NotionAuthConfig, findings: Findings): Promise<void> {
  if (config.databaseUrl === null && !existsSync(config.databaseFile)) {
    findings.warn(
      'database',
      `the file ${config.databaseFile} is not there yet; the application makes it when it starts`,
    );
    return;
  }
  let found: DatabaseInspection;
  try {
    found = await inspectDatabase(config);
  } catch (error) {
    for (const problem of problemsOf(error)) findings.fail('database', problem);
    return;
  }
  findings.ok('database', `${found.engine} answers`);
  schema(config, found, findings);
  locks(found, findings);
  pool(found, findings);
  failover(found, findings);
  clock(found, findings);
  keys(config, found, findings);
}

function schema(config: NotionAuthConfig, found: DatabaseInspection, findings: Findings): void {
  if (!found.hasPendingMigrations) {
    findings.ok('schema', 'no migration is pending');
    return;
  }
  const runsItself = config.runMigrations ?? config.databaseUrl === null;
  if (runsItself) findings.warn('schema', 'migrations are pending; the application runs them when it starts');
  else
    findings.fail(
      'schema',
      'migrations are pending: run npx notion-auth migrate, or set NOTION_AUTH_RUN_MIGRATIONS=true (option runMigrations)',
    );
}

function locks({ locking }: DatabaseInspection, findings: Findings): void {
  if (locking === 'refused') {
    findings.fail(
      'locks',
      'the database refused to lock a row (SELECT … FOR UPDATE): the user needs UPDATE on the tables',
    );
  } else {
    findings.ok(
      'locks',
      locking === 'not_tried' ? 'not tried: the tables are not there yet' : `${locking} works`,
    );
  }
}

/** Connections are used up by replicas, by rolling deployments above all: old and new stand side by side. */
function pool({ connections }: DatabaseInspection, findings: Findings): void {
  if (connections === null) return;
  const { ofOneProcess, most, inUse } = connections;
  const room = Math.floor(Math.max(0, most - inUse) / ofOneProcess);
  const sum = `a process takes up to ${String(ofOneProcess)} connections; of ${String(most)} that the database allows ${String(inUse)} are in use`;
  if (room > 0) findings.ok('pool', `${sum}: room for ${String(room)} more processes`);
  else findings.warn('pool', `${sum}: no room for another process, as a rolling deployment needs it`);
}

/** Without detection the application works; only what it does after a failover is missing. */
function failover({ identity }: DatabaseInspection, findings: Findings): void {
  switch (identity?.kind) {
    case 'known':
      findings.ok('failover', 'the identity of the server can be read');
      break;
    case 'read_only':
      findings.fail('failover', 'the server is read-only or a standby: connect to the primary');
      break;
    case 'unknowable':
      findings.warn('failover', `detection is off: ${OBSTACLE_TEXTS[identity.obstacle]}`);
      break;
    case 'not_known_now':
      findings.warn('failover', 'the server did not tell its identity: run doctor again');
      break;
    case undefined:
  }
}

function clock({ clockOffsetMs }: DatabaseInspection, findings: Findings): void {
  const offset = `this machine and the database differ by ${String(Math.abs(clockOffsetMs))} ms`;
  if (Math.abs(clockOffsetMs) > CLOCK_FAIL_MS)
    findings.fail('clock', `${offset}: set them by the same time server`);
  else if (Math.abs(clockOffsetMs) > CLOCK_WARN_MS) findings.warn('clock', offset);
  else findings.ok('clock', offset);
}

function keys(config: NotionAuthConfig, { rowsByKey }: DatabaseInspection, findings: Findings): void {
  const configured = new Set(config.encryptionKeys.map(({ id }) => id));
  const missing = [...rowsByKey].filter(([keyId]) => !configured.has(keyId));
  const ephemeral = missing.filter(([keyId]) => keyId.startsWith(EPHEMERAL_KEY_PREFIX));
  for (const [keyId, rows] of ephemeral) {
    findings.warn(
      'keys',
      `${String(rows)} rows are encrypted with ${keyId}, the key of one process that has ended or still runs; after its end they cannot be decrypted, and their users must reconnect. Set NOTION_AUTH_ENCRYPTION_KEYS to keep tokens over restarts`,
    );
  }
  for (const [keyId, rows] of missing.filter((one) => !ephemeral.includes(one))) {
    findings.fail(
      'keys',
      `the key ${keyId} seals ${String(rows)} rows and is not configured: put it back into NOTION_AUTH_ENCRYPTION_KEYS, after the first`,
    );
  }
  if (missing.length === 0)
    findings.ok(
      'keys',
      rowsByKey.size === 0 ? 'nothing is sealed yet' : 'every key that stored secrets need is configured',
    );
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof NotionConfigError) return error.problems;
  if (error instanceof NotionAuthError) return [error.message];
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  // The driver's code rather than its message, which may quote the address with its password.
  return [`the database cannot be opened (${typeof code === 'string' ? code : String(name)})`];
}
