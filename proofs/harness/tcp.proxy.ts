import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { forward } from './proxy.forward.js';
import { NO_TOXICS, type Toxics, type ToxicsChange } from './toxics.js';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A wire that can be spoilt while it is in use: stands between an application and its database or Notion, on a
 * loopback port of its own. Toxics apply to the connections that are open as well as to new ones.
 */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly server: Server;
  private toxics: Toxics = NO_TOXICS;

  private constructor(
    private readonly host: string,
    private targetPort: number,
  ) {
    this.server = createServer({ allowHalfOpen: true }, (client) => {
      this.link(client);
    });
  }

  static async start(target: { readonly host?: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target.host ?? '127.0.0.1', target.port);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.links.size;
  }

  /** The same URL, but through this proxy. */
  inFrontOf(url: string): string {
    const through = new URL(url);
    through.host = `127.0.0.1:${this.port}`;
    // An origin stays an origin: without the slash that `URL` adds.
    return url.endsWith('/') ? through.href : through.href.replace(/\/$/, '');
  }

  /** Adds to, or replaces part of, what is wrong with the wire. `down` and `reset` end what is open. */
  spoil(change: ToxicsChange): void {
    this.toxics = { ...this.toxics, ...change };
    if (this.toxics.down) this.endAll();
  }

  /** A good wire again; connections that were swallowing stay as they are. */
  heal(): void {
    this.toxics = NO_TOXICS;
  }

  /** From now on the wire leads to another port; connections that are open stay where they are. */
  pointTo(port: number): void {
    this.targetPort = port;
  }

  /** Resets every open connection (RST), and says how many there were. */
  resetAll(): number {
    const open = this.links.size;
    for (const { client, server } of this.links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return open;
  }

  async close(): Promise<void> {
    this.endAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private link(client: Socket): void {
    client.on('error', () => undefined);
    if (this.toxics.down) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: this.host, port: this.targetPort, allowHalfOpen: true });
    server.on('error', () => client.resetAndDestroy());
    const link = { client, server };
    this.links.add(link);
    client.once('close', () => {
      this.links.delete(link);
      if (!client.readableEnded) server.destroy();
    });
    server.once('close', () => {
      if (!server.readableEnded) client.destroy();
    });
    const current = () => this.toxics;
    forward(client, server, 'upstream', current);
    forward(server, client, 'downstream', current);
  }

  private endAll(): void {
    this.resetAll();
  }
}
