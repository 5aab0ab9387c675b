import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../proofs/harness/free-port.js';
import { ServerLog, serverUser, startProgram } from '../../proofs/harness/server.program.js';

const PROGRAM = '/usr/sbin/pgbouncer';

/** A PgBouncer of the test's own, in transaction mode, with fewer sessions than its clients want. */
export class PgBouncer {
  private constructor(
    readonly port: number,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Whether this machine has it (Debian: `apt-get install pgbouncer`). */
  static get isInstalled(): boolean {
    return existsSync(PROGRAM);
  }

  static async before(server: URL): Promise<PgBouncer> {
    const [user, port] = [serverUser('postgres'), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), 'notion-auth-pgbouncer-'));
    const files = {
      'users.txt': `"${server.username}" "${server.password}"\n`,
      'pgbouncer.ini': [
        '[databases]',
        `* = host=${server.hostname} port=${server.port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${String(port)}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${folder}/users.txt`,
        'pool_mode = transaction',
        'default_pool_size = 3',
        'max_client_conn = 300',
        '',
      ].join('\n'),
    };
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    }
    for (const path of [folder, ...Object.keys(files).map((name) => join(folder, name))]) {
      if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
    }
    const child = startProgram(PROGRAM, [join(folder, 'pgbouncer.ini')], user);
    const log = new ServerLog();
    log.follow(child);
    await log.says('process up', child, 20_000);
    return new PgBouncer(port, child, folder);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
