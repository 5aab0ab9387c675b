import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { NotionAuthOptions } from 'nestjs-notion-auth';

/** The parent's end of an application with the built-in routes, in a process of its own. */
export class ConnectReplica {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** @param program - `connect.process.js`, as built. */
  static async start(program: string, options: NotionAuthOptions): Promise<ConnectReplica> {
    const child = fork(program, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    child.send(options);
    const [port] = (await once(child, 'message')) as [number];
    return new ConnectReplica(child, `http://127.0.0.1:${port}`);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Lets it leave by itself, its connections to the database in order. */
  async leave(): Promise<void> {
    if (!this.child.connected) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }

  /** Ends it where it stands, as a crash or an impatient scheduler would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
