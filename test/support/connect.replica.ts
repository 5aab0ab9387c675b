import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { NotionAuthOptions } from 'nestjs-notion-auth';

const PROCESS = resolve(import.meta.dirname, '../../build/test/support/connect.process.js');

/** The parent's end of an application in a process of its own. Needs the build (`npm test` makes it). */
export class ConnectReplica {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(options: NotionAuthOptions): Promise<ConnectReplica> {
    const child = fork(PROCESS, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    child.send(options);
    const [port] = (await once(child, 'message')) as [number];
    return new ConnectReplica(child, `http://127.0.0.1:${port}`);
  }

  /** Ends it where it stands, as a crash or an impatient scheduler would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
