import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { get } from 'node:http';
import type { SignalHostCommand, SignalHostReport, SignalHostSetup } from './signal.host.messages.js';

/** How a host's process ended. */
export interface HostEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It did not end within the limit and was killed. */
  readonly isKilled: boolean;
}

/** The parent's end of a host application with the module in a process of its own. */
export class SignalHost {
  /** Everything that the process reported, in order. */
  readonly reports: SignalHostReport[] = [];
  private readonly events = new EventEmitter();
  private readonly gone: Promise<Omit<HostEnd, 'isKilled'>>;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (report: SignalHostReport) => {
      this.reports.push(report);
      this.events.emit(report.kind, report);
    });
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
  }

  /** @param program - The compiled `signal.host.process.js`. */
  static async start(program: string, setup: SignalHostSetup): Promise<SignalHost> {
    const child = fork(program, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    const host = new SignalHost(child);
    await host.command({ kind: 'start', setup }, 'listening');
    return host;
  }

  /** Lines that the application logged as errors. */
  get errors(): readonly string[] {
    return this.reports.flatMap((report) => (report.kind === 'logged' ? [report.line] : []));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Begins refreshes; resolves when they have begun. */
  async refresh(authorizationIds: readonly string[], instance: 0 | 1 = 0): Promise<void> {
    await this.command({ kind: 'refresh', authorizationIds, instance }, 'begun');
  }

  /** Resolves when so many requests to Notion have been sent. */
  async sent(count: number): Promise<void> {
    const sent = () => this.reports.filter(({ kind }) => kind === 'sent').length;
    while (sent() < count) await this.next('sent');
  }

  /** Begins a call to Notion. */
  async call(authorizationId: string): Promise<void> {
    await this.command({ kind: 'call', authorizationId }, 'begun');
  }

  /** Adds a listener that notes the signal and does nothing. */
  async survive(): Promise<void> {
    await this.command({ kind: 'survive' }, 'begun');
  }

  /** Closes the application; the process ends by itself afterwards. */
  async close(): Promise<void> {
    await this.command({ kind: 'close' }, 'closed');
  }

  /**
   * Begins a slow request of the host's own; resolves when the host works on it.
   * @returns What the client gets: the body, or the code of the socket's error.
   */
  async beginRequest(): Promise<{ readonly response: Promise<string> }> {
    const listening = this.reports.find((report) => report.kind === 'listening');
    const begun = once(this.events, 'request');
    const response = fetchText(`${listening?.url ?? ''}/slow`);
    await begun;
    return { response };
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves with how the refresh of an authorization ended. */
  async outcome(authorizationId: string): Promise<string> {
    for (;;) {
      const found = this.reports.find(
        (report) => report.kind === 'outcome' && report.authorizationId === authorizationId,
      );
      if (found?.kind === 'outcome') return found.outcome;
      await this.next('outcome');
    }
  }

  /** Resolves with the next report of the kind. */
  async next(kind: SignalHostReport['kind']): Promise<SignalHostReport> {
    const [report] = (await once(this.events, kind)) as [SignalHostReport];
    return report;
  }

  /** Resolves when the process has ended; kills it after `limitMs`. */
  async end(limitMs: number): Promise<HostEnd> {
    let isKilled = false;
    const limit = setTimeout(() => {
      isKilled = true;
      this.child.kill('SIGKILL');
    }, limitMs);
    const end = await this.gone;
    clearTimeout(limit);
    return { ...end, isKilled };
  }

  private async command(command: SignalHostCommand, until: SignalHostReport['kind']): Promise<void> {
    const reported = this.next(until);
    this.child.send(command);
    const ended = this.gone.then(({ code }) => {
      throw new Error(`The host ended with code ${code} before it reported "${until}".`);
    });
    await Promise.race([reported, ended]);
  }
}

/** On a connection of its own, which the server need not wait for afterwards. */
function fetchText(url: string): Promise<string> {
  return new Promise((resolve) => {
    get(url, { agent: false, headers: { connection: 'close' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => {
        resolve(text);
      });
      response.once('error', (error) => {
        resolve(error.message);
      });
    }).once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
  });
}
