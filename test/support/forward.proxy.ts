import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** An outgoing proxy as companies have them: it opens tunnels, and reads what is not encrypted in them. */
export class ForwardProxy {
  /** What tunnels were asked for. */
  readonly targets: string[] = [];
  /** Requests other than `CONNECT`. */
  readonly requests: string[] = [];
  /** What clients sent through the tunnels, as the proxy can read it. */
  read = '';
  open = 0;
  mostOpen = 0;
  /** Value of `Proxy-Authorization` that it asks for. */
  authorization: string | null = null;
  /** Its response to `CONNECT`; `null` sends none. */
  status: number | null = 200;
  /** Where every tunnel leads, whatever it was asked for: the target exists for the proxy alone. */
  leadsTo: string | null = null;

  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.requests.push(request.url ?? '');
      response.writeHead(502).end();
    });
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      this.tunnel(request, socket);
    });
  }

  static async start(): Promise<ForwardProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ForwardProxy(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private tunnel({ url = '', headers }: IncomingMessage, client: Socket): void {
    this.targets.push(url);
    if (this.status === null) return;
    const isAllowed = this.authorization === null || headers['proxy-authorization'] === this.authorization;
    const status = isAllowed ? this.status : 407;
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(this.leadsTo ?? `http://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      this.open += 1;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (bytes: Buffer) => (this.read += bytes.toString('latin1')));
      client.pipe(upstream).pipe(client);
    });
    this.sockets.add(upstream);
    upstream.on('error', () => client.destroy()).on('close', () => this.sockets.delete(upstream));
    client.on('close', () => {
      this.open -= 1;
      upstream.destroy();
    });
  }
}
