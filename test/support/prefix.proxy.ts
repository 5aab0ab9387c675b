import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A reverse proxy that removes a path prefix, as nginx, Traefik and API gateways do, and may write another `Host`. */
export class PrefixProxy {
  private targetPort = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param prefix - What stands before every path outside, and is not passed on. */
  static async start(prefix: string, host?: string): Promise<PrefixProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new PrefixProxy(server, (server.address() as AddressInfo).port);
    server.on('request', (asked, answered) => {
      const path = asked.url ?? '';
      if (!path.startsWith(`${prefix}/`)) {
        answered.writeHead(404).end();
        return;
      }
      const { method } = asked;
      const headers = host === undefined ? asked.headers : { ...asked.headers, host };
      const onward = request(
        { host: '127.0.0.1', port: proxy.targetPort, method, headers, path: path.slice(prefix.length) },
        (answer) => {
          answered.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(answered);
        },
      );
      onward.on('error', () => answered.writeHead(502).end());
      asked.pipe(onward);
    });
    return proxy;
  }

  passTo(port: number): void {
    this.targetPort = port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }
}
