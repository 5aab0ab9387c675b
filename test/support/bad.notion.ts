import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface SeenRequest {
  readonly path: string;
  readonly body: string;
  /** Of the connection that it came on, from 0. */
  readonly connection: number;
}

type Behaviour = (response: ServerResponse, request: IncomingMessage) => unknown;

/** A server in Notion's place that answers in ways that Notion's simulator, an honest server, does not know. */
export class BadNotion {
  readonly requests: SeenRequest[] = [];
  /** By connection: bytes that were written to it, and when it was closed. */
  readonly connections: { socket: Socket; closedAtMs: number | null }[] = [];
  behaviour: Behaviour = (response) => response.writeHead(500).end();

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {
    server.on(scheme === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => {
      const connection = { socket, closedAtMs: null as number | null };
      this.connections.push(connection);
      socket.on('error', () => undefined);
      socket.on('close', () => (connection.closedAtMs = performance.now()));
    });
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(scheme: 'http' | 'https' = 'http'): Promise<BadNotion> {
    const server = scheme === 'http' ? createServer() : createTlsServer(selfSigned());
    const notion = new BadNotion(server, scheme);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return notion;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get bytesWritten(): number {
    return this.connections.reduce((sum, { socket }) => sum + socket.bytesWritten, 0);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.connections.findIndex(({ socket }) => socket === request.socket);
    const body = await text(request).catch(() => '');
    this.requests.push({ path: request.url ?? '', body, connection });
    this.behaviour(response, request);
  }
}

/** As fast as the other side takes it, until it has `bytes` or hangs up. */
export function flood(bytes: number, head: Readonly<Record<string, string>> = {}, status = 200): Behaviour {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...head });
    let left = bytes;
    const write = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= chunk.length;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  };
}

/** One byte at a time. */
export function trickle(everyMs: number): Behaviour {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const timer = setInterval(() => response.write(' '), everyMs);
    response.on('close', () => {
      clearInterval(timer);
    });
  };
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'notion-certificate-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '1', '-nodes', '-newkey', 'rsa:2048'];
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  const pair = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}
