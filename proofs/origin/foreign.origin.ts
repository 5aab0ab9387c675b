import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Leftovers } from '../harness/leftovers.js';

/** What everybody who asks is told: a pair of tokens, and a page. */
const TEMPTATION = JSON.stringify({
  access_token: 'ntn_foreign',
  refresh_token: 'nrt_foreign',
  token_type: 'bearer',
  bot_id: 'foreign',
  workspace_id: 'foreign',
  active: true,
});

/** The other origin. Takes whatever comes, counts who came, and keeps every byte. */
export class ForeignOrigin {
  private visits = 0;
  private heard: Buffer[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.visits += 1;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        this.heard.push(bytes);
        socket.end(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${TEMPTATION}`,
        );
      });
    });
  }

  static async start(leftovers: Leftovers): Promise<ForeignOrigin> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    leftovers.onEnd(() => {
      server.close();
    });
    return new ForeignOrigin(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.visits;
  }

  /** All that was sent here so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.heard);
  }

  forget(): void {
    this.visits = 0;
    this.heard = [];
  }
}
