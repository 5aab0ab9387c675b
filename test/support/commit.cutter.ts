import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** `made`: the server has the commit and its answer is lost. `lost`: the commit never reaches the server. */
export type Cut = 'made' | 'lost';

/** The statement, not the isolation level. */
const COMMIT = /COMMIT(?!TED)/;

/** Stands between a client and its database, and breaks the connection under a commit when told to. */
export class CommitCutter {
  private readonly sockets = new Set<Socket>();
  private next: Cut | null = null;
  private isRefusing = false;
  cuts = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async before(host: string, port: number): Promise<CommitCutter> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cutter = new CommitCutter(server, (server.address() as AddressInfo).port);
    server.on('connection', (client) => {
      if (cutter.isRefusing) client.destroy();
      else cutter.join(client, connect(port, host));
    });
    return cutter;
  }

  /** The next commit is cut. */
  arm(cut: Cut): void {
    this.next = cut;
  }

  /** New connections are ended at once; those that stand live on. */
  refuse(isRefusing: boolean): void {
    this.isRefusing = isRefusing;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, server: Socket): void {
    let isCut = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    server.on('data', (bytes) => {
      if (!isCut) client.write(bytes);
    });
    client.on('data', (bytes) => {
      const cut = COMMIT.test(bytes.toString('latin1')) ? this.next : null;
      if (cut !== 'lost') server.write(bytes);
      if (cut === null) return;
      isCut = true;
      this.next = null;
      this.cuts += 1;
      void sleep(cut === 'made' ? 60 : 0).then(end);
    });
  }
}
