import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import type { Leftovers } from '../harness/leftovers.js';
import type { EventsOrder, EventsReport } from './events.process.js';

const PROGRAM = fileURLToPath(new URL('./events.process.js', import.meta.url));

export type Heard = Extract<EventsReport, { kind: 'heard' }>;

/** A replica that listens; what it hears is noted outside of it. */
export class EventsReplica {
  private constructor(
    private readonly child: ChildProcess,
    /** Resolves when the process is gone. */
    readonly gone: Promise<unknown>,
  ) {}

  static async start(
    options: NotionAuthOptions,
    heard: Heard[],
    leftovers: Leftovers,
  ): Promise<EventsReplica> {
    const child = fork(PROGRAM, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    const pid = child.pid!;
    leftovers.watch(pid);
    const gone = once(child, 'exit').then(() => {
      leftovers.forget(pid);
    });
    child.on('error', () => undefined);
    const ready = new Promise<void>((resolve) => {
      child.on('message', (report: EventsReport) => {
        if (report.kind === 'heard') heard.push(report);
        else resolve();
      });
    });
    const replica = new EventsReplica(child, gone);
    replica.order({ kind: 'start', options });
    await ready;
    return replica;
  }

  order(order: EventsOrder): void {
    this.child.send(order, () => undefined);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
