import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { controlVerbs, type ControlVerbs } from './control.verbs.js';
import type { NotionSimulator } from './notion-simulator.js';

export interface SimulatorControlOptions {
  /** What clients must present; whoever has it can mint tokens. */
  readonly token: string;
  /** @defaultValue a free port */
  readonly port?: number;
}

/**
 * Lets other processes drive a simulator, over a loopback port of its own: `POST /` with
 * `{"verb": …, "arguments": […]}`. {@link NotionSimulatorControl} is its client.
 */
export class SimulatorControlServer {
  private readonly server: Server;

  private constructor(
    private readonly verbs: ControlVerbs,
    private readonly token: string,
  ) {
    this.server = createServer((request, response) => {
      void this.receive(request, response);
    });
  }

  static async start(
    simulator: NotionSimulator,
    options: SimulatorControlOptions,
  ): Promise<SimulatorControlServer> {
    const control = new SimulatorControlServer(controlVerbs(simulator), options.token);
    await new Promise<void>((resolve, reject) => {
      control.server.once('error', reject);
      control.server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return control;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends the control server; the simulator goes on. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (!isEqual(request.headers.authorization ?? '', `Bearer ${this.token}`)) {
      reply(response, 401, { error: 'The control token is missing or wrong.' });
      return;
    }
    try {
      reply(response, 200, { result: this.run(Buffer.concat(chunks).toString()) ?? null });
    } catch (cause) {
      reply(response, 400, { error: cause instanceof Error ? cause.message : String(cause) });
    }
  }

  private run(body: string): unknown {
    const { verb, arguments: given } = JSON.parse(body) as { verb: string; arguments: unknown[] };
    if (!Object.hasOwn(this.verbs, verb)) throw new Error(`There is no verb "${verb}".`);
    const run = this.verbs[verb as keyof ControlVerbs] as (...given: readonly unknown[]) => unknown;
    return run(...given);
  }
}

function reply(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
