import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Order = 'forget the token' | 'report';

export interface Report {
  readonly url: string;
  readonly fixedToken: string;
  readonly refreshes: number;
  /** 401 answers. */
  readonly refusals: number;
}

/** The server that is called, in a process of its own so that its work is not counted as ours. */
export class NotionServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly fixedToken: string,
  ) {}

  static async start(): Promise<NotionServer> {
    const child = fork(fileURLToPath(new URL('./notion.process.js', import.meta.url)));
    const { url, fixedToken } = await reportOf(child);
    return new NotionServer(child, url, fixedToken);
  }

  forgetToken(): Promise<Report> {
    return this.order('forget the token');
  }

  report(): Promise<Report> {
    return this.order('report');
  }

  stop(): void {
    this.child.disconnect();
  }

  private order(order: Order): Promise<Report> {
    const report = reportOf(this.child);
    this.child.send(order);
    return report;
  }
}

async function reportOf(child: ChildProcess): Promise<Report> {
  const [report] = (await once(child, 'message')) as [Report];
  return report;
}
