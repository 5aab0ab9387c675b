import { appendFileSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Leftovers } from './leftovers.js';
import { PostgresServer } from './postgres.server.js';
import { makeFolderFor, runProgram } from './server.program.js';

const NAME = 'standby';
const LONGEST_CATCH_UP_MS = 30_000;

/**
 * A streaming standby of a server, from a base backup made while that server works.
 * @param port - Where the standby reaches the primary: a wire's port, so that replication can be cut.
 * @see https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
export async function startStandby(
  primary: PostgresServer,
  port: number,
  leftovers: Leftovers,
): Promise<PostgresServer> {
  const folder = await backUp(primary);
  leftovers.removeAtEnd(folder);
  const source = `host=127.0.0.1 port=${port} user=postgres password=${primary.password} application_name=${NAME}`;
  appendFileSync(join(folder, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  ownedFile(primary, join(folder, 'standby.signal'), '');
  return PostgresServer.start(leftovers, { dataFolder: folder, password: primary.password });
}

/** Resolves when the standby has applied everything that the primary has committed. */
export async function untilCaughtUp(primary: PostgresServer): Promise<void> {
  const untilMs = performance.now() + LONGEST_CATCH_UP_MS;
  while (performance.now() < untilMs) {
    const caughtUp = await primary.query(
      'SELECT 1 FROM pg_stat_replication WHERE application_name = $1 AND replay_lsn >= pg_current_wal_lsn()',
      [NAME],
    );
    if (caughtUp.length > 0) return;
    await sleep(50);
  }
  throw new Error('The standby did not catch up with its primary.');
}

export async function promote(standby: PostgresServer): Promise<void> {
  const [{ promoted }] = (await standby.query<{ promoted: boolean }>(
    'SELECT pg_promote(true, 60) AS promoted',
  )) as [{ promoted: boolean }];
  if (!promoted) throw new Error('The standby was not promoted in time.');
}

/** @returns The copy's folder. */
async function backUp(primary: PostgresServer): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'notion-proof-standby-'));
  makeFolderFor(primary.user, folder);
  await primary.query(`SELECT pg_backup_start('${NAME}', true)`);
  runProgram('cp', ['-a', `${primary.folder}/.`, folder], primary.user);
  const [{ label }] = (await primary.query<{ label: string }>(
    'SELECT labelfile AS label FROM pg_backup_stop(false)',
  )) as [{ label: string }];
  rmSync(join(folder, 'postmaster.pid'), { force: true });
  ownedFile(primary, join(folder, 'backup_label'), label);
  return folder;
}

/** The server syncs and removes these files itself. */
function ownedFile({ user }: PostgresServer, path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
}
