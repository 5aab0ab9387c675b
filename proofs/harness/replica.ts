import { fork, type ChildProcess } from 'node:child_process';
import type { NotionAuthOptions, RefreshOutcome } from 'nestjs-notion-auth';
import type { CallsReport, ReplicaCommand, ReplicaReply } from './replica.messages.js';

/** The parent's end of a replica. */
export class Replica {
  private readonly waiting = new Map<number, (reply: ReplicaReply | null) => void>();
  private lastId = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: ReplicaReply) => this.waiting.get(reply.id)?.(reply));
    child.once('exit', () => {
      for (const wake of this.waiting.values()) wake(null);
    });
  }

  /** @param modulePath - The compiled `replica.process.js`. */
  static async start(modulePath: string | URL, options: NotionAuthOptions): Promise<Replica> {
    const child = fork(modulePath, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    const replica = new Replica(child);
    await replica.ask({ kind: 'start', options });
    return replica;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  call(authorizationId: string, count: number): Promise<CallsReport> {
    return this.ask({ kind: 'call', authorizationId, count }) as Promise<CallsReport>;
  }

  refresh(authorizationId: string, seenVersion?: number): Promise<RefreshOutcome> {
    return this.ask({ kind: 'refresh', authorizationId, seenVersion }) as Promise<RefreshOutcome>;
  }

  /** Closes the application, then the process. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    await this.ask({ kind: 'stop' });
    this.child.disconnect();
    await gone;
  }

  private ask(command: ReplicaCommand): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (reply) => {
        this.waiting.delete(id);
        if (reply === null) reject(new Error('The replica ended before it answered.'));
        else if ('error' in reply) reject(new Error(`The replica failed: ${reply.error}`));
        else resolve(reply.result);
      });
      this.child.send({ id, command });
    });
  }
}
