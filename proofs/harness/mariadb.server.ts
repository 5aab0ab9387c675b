import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DataSource } from 'typeorm';
import { freePort } from './free-port.js';
import type { Leftovers } from './leftovers.js';
import { makeFolderFor, runProgram, ServerLog, serverUser, startProgram } from './server.program.js';

const USER = 'proof';

export interface MariadbOptions {
  /** Further ones, as on the command line of `mariadbd`. */
  readonly flags?: readonly string[];
  /** What its log says once it serves. @defaultValue `'ready for connections'` */
  readonly readyLine?: string;
}

/** A MariaDB of the proof's own, from the programs that the system has. */
export class MariadbServer {
  private constructor(
    readonly port: number,
    private readonly password: string,
    private readonly folder: string,
    private readonly server: ChildProcess,
    private readonly log: ServerLog,
  ) {}

  /** Whether this machine has the programs (Debian: `apt-get install mariadb-server`). */
  static get isInstalled(): boolean {
    return findProgram('mariadbd') !== null && findProgram('mariadb-install-db') !== null;
  }

  static async start(
    leftovers: Leftovers,
    { flags = [], readyLine = 'ready for connections' }: MariadbOptions = {},
  ): Promise<MariadbServer> {
    const [mariadbd, install] = [findProgram('mariadbd'), findProgram('mariadb-install-db')];
    if (mariadbd === null || install === null) throw new Error('MariaDB is not installed on this machine.');
    const user = serverUser('mysql');
    const folder = mkdtempSync(join(tmpdir(), 'notion-proof-maria-'));
    leftovers.removeAtEnd(folder);
    makeFolderFor(user, folder);
    runProgram(install, ['--no-defaults', `--datadir=${folder}/data`, '--skip-test-db'], user);
    const password = randomBytes(12).toString('hex');
    const port = await freePort();
    const log = new ServerLog();
    const given = [
      ...serverFlags(folder, port),
      ...flags,
      `--init-file=${writeInitFile(folder, password, user)}`,
    ];
    const child = startProgram(mariadbd, given, user);
    const server = new MariadbServer(port, password, folder, child, log);
    server.watchedBy(leftovers);
    log.follow(child);
    await log.says(readyLine, child);
    return server;
  }

  urlOf(database: string): string {
    return `mariadb://${USER}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** @returns Its URL. */
  async createDatabase(name = `proof_${randomBytes(4).toString('hex')}`): Promise<string> {
    const session = await new DataSource({ type: 'mariadb', url: this.urlOf('') }).initialize();
    await session.query(`CREATE DATABASE ${name}`).finally(() => session.destroy());
    return this.urlOf(name);
  }

  logTail(): string {
    return this.log.tail();
  }

  async close(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const gone = once(this.server, 'exit');
      this.server.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private watchedBy(leftovers: Leftovers): void {
    const pid = this.server.pid ?? 0;
    leftovers.watch(pid);
    this.server.once('exit', () => {
      leftovers.forget(pid);
    });
    leftovers.onEnd(() => this.close());
  }
}

function serverFlags(folder: string, port: number): readonly string[] {
  return [
    '--no-defaults',
    `--datadir=${folder}/data`,
    `--socket=${folder}/socket`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--max-connections=200',
    '--skip-name-resolve',
  ];
}

/** The account is made by the server itself as it starts, over no connection. */
function writeInitFile(
  folder: string,
  password: string,
  { uid, gid }: ReturnType<typeof serverUser>,
): string {
  const file = join(folder, 'init.sql');
  const account = `'${USER}'@'127.0.0.1'`;
  writeFileSync(
    file,
    `CREATE USER ${account} IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO ${account} WITH GRANT OPTION;\n`,
    { mode: 0o600 },
  );
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
  return file;
}

function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
