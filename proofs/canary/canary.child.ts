import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import type { Leftovers } from '../harness/leftovers.js';
import type { SeenBytes } from './seen.bytes.js';

const PROGRAM = fileURLToPath(new URL('./canary.process.js', import.meta.url));

/** The application in a process of its own; all that it prints is seen. */
export class CanaryChild {
  private constructor(
    private readonly child: ChildProcess,
    private readonly leftovers: Leftovers,
    readonly url: string,
  ) {}

  static async start(
    options: NotionAuthOptions,
    seen: SeenBytes,
    leftovers: Leftovers,
  ): Promise<CanaryChild> {
    const child = fork(PROGRAM, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: ['--no-warnings'] });
    leftovers.watch(child.pid!);
    child.stdout?.on('data', (chunk: Buffer) => {
      seen.add('stdout', chunk.toString('latin1'));
    });
    let lastWords = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      lastWords = chunk.toString('utf8');
      seen.add('stderr', chunk.toString('latin1'));
    });
    child.send(options);
    const gone = once(child, 'exit').then(() => {
      throw new Error(`The application did not start: ${lastWords}`);
    });
    const [url] = (await Promise.race([once(child, 'message'), gone])) as [string];
    return new CanaryChild(child, leftovers, url);
  }

  /** As a container platform ends it. */
  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
    this.leftovers.forget(this.child.pid!);
  }
}
