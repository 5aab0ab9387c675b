import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { deliver, replacementFor } from './answer.delivery.js';
import { endpointOf, isForClients, type EndpointKind } from './endpoint.kind.js';
import type { ArrivedRequest, RequestEntry, RequestJournal } from './request.journal.js';
import { isProcessed, type Fault, type FaultPlan } from './simulator.faults.js';
import type { ModeSwitch } from './simulator.modes.js';
import { textField, type Endpoint, type SimulatedCall } from './simulated.call.js';
import type { TokenRegister } from './token.register.js';
import { apiError, oauthError, type Answer } from './wire.answers.js';

const BODY_LIMIT_BYTES = 1_048_576;

export interface ServerParts {
  readonly endpoints: Readonly<Record<Exclude<EndpointKind, 'other'>, Endpoint>>;
  /** Answers at `/`, which is the simulator's own. */
  readonly index: Endpoint;
  readonly faults: FaultPlan;
  readonly journal: RequestJournal;
  readonly modes: ModeSwitch;
  readonly register: TokenRegister;
  /** How long an idle connection is kept open, in milliseconds. */
  readonly keepAliveMs: number;
  /** Called after each request that was processed, before its answer leaves. */
  readonly afterProcessing: () => void;
}

/** The HTTP side: reads a request whole, enters it in the ledger, lets a fault or the endpoint answer. */
export class SimulatorServer {
  private readonly server: Server;
  private readonly connections = new WeakMap<Socket, number>();
  private connectionCount = 0;

  constructor(private readonly parts: ServerParts) {
    this.server = createServer({ keepAliveTimeout: parts.keepAliveMs }, (request, response) => {
      this.receive(request, response);
    });
    this.server.on('connection', (socket: Socket) => {
      this.connections.set(socket, ++this.connectionCount);
    });
  }

  /** @returns The port in use. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'GET') {
      this.arrive(request, response, '');
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
    });
    request.on('end', () => {
      this.arrive(request, response, size <= BODY_LIMIT_BYTES ? Buffer.concat(chunks).toString() : null);
    });
  }

  /** @param body - `null` when it was too large to keep. */
  private arrive(request: IncomingMessage, response: ServerResponse, body: string | null): void {
    const { call, refreshToken } = this.enter(request, body ?? '');
    if (refreshToken !== null) {
      response.once('close', () => {
        this.parts.journal.leave(refreshToken);
      });
    }
    const fault = this.parts.faults.take(call.entry);
    if (fault !== null) call.entry.fault = fault.kind;
    const process = (): Answer => (body === null ? tooLarge() : this.processSafely(call));
    this.answer(call.entry, response, fault, process);
  }

  private answer(
    entry: RequestEntry,
    response: ServerResponse,
    fault: Fault | null,
    process: () => Answer,
  ): void {
    const early = fault === null || isProcessed(fault) ? process() : null;
    const finish = (): void => {
      const replacement = fault === null ? null : replacementFor(fault, this.oauthShapeFor(entry));
      const answer = replacement ?? early ?? (fault?.kind === 'delay' ? process() : NO_ANSWER);
      this.parts.journal.settle(entry, deliver(response, answer, fault));
    };
    const waitMs = this.delayOf(entry) + (fault?.afterMs ?? 0) + (fault?.kind === 'delay' ? fault.ms : 0);
    if (waitMs > 0) setTimeout(finish, waitMs).unref();
    else finish();
  }

  private enter(
    request: IncomingMessage,
    body: string,
  ): { call: SimulatedCall; refreshToken: string | null } {
    const { method = 'GET', url = '/', headers } = request;
    const [path, search] = splitUrl(url);
    const endpoint = endpointOf(path);
    const json = method === 'POST' && endpoint !== 'authorize' ? parseObject(body) : undefined;
    const grantType = endpoint === 'token' ? (textField({ json }, 'grant_type') ?? null) : null;
    const presented = presentedToken(endpoint, json, headers.authorization);
    const token = presented === undefined ? undefined : this.parts.register.find(presented);
    const facts: ArrivedRequest = {
      method,
      path,
      endpoint,
      grantType,
      botId: token?.botId ?? null,
      generation: token?.generation ?? null,
      connection: this.connections.get(request.socket) ?? 0,
      refreshToken: grantType === 'refresh_token' ? (presented ?? null) : null,
    };
    const entry = this.parts.journal.open(facts);
    return {
      call: { entry, method, path, search, headers, body, json, token },
      refreshToken: facts.refreshToken,
    };
  }

  private process(call: SimulatedCall): Answer {
    const { endpoint } = call.entry;
    if (endpoint === 'other') return call.path === '/' ? this.parts.index.answer(call) : NOTHING_HERE;
    if (isForClients(endpoint) && call.method !== 'POST') {
      return apiError(400, 'invalid_request_url', 'Invalid request URL.');
    }
    const answer = this.parts.endpoints[endpoint].answer(call);
    if (endpoint !== 'api') this.parts.afterProcessing();
    return answer;
  }

  /** A token factory, a file or the simulator itself may fail: say so to the client, and keep serving. */
  private processSafely(call: SimulatedCall): Answer {
    try {
      return this.process(call);
    } catch (cause) {
      return apiError(500, 'internal_server_error', `The simulator failed: ${String(cause)}`);
    }
  }

  private delayOf({ endpoint }: RequestEntry): number {
    return endpoint === 'authorize' || endpoint === 'other' ? 0 : this.parts.modes.current.delayMs[endpoint];
  }

  private oauthShapeFor({ endpoint }: RequestEntry): 'rfc' | 'api' | null {
    return isForClients(endpoint) ? this.parts.modes.current.oauthErrorShape : null;
  }
}

/** Stands where a dropped connection leaves nothing to send. */
const NO_ANSWER: Answer = { status: 0, headers: {}, body: '' };

const NOTHING_HERE: Answer = { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' };

function tooLarge(): Answer {
  return oauthError('api', 413, 'validation_error', 'The request body is too large.');
}

function splitUrl(url: string): [path: string, search: string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function presentedToken(
  endpoint: EndpointKind,
  json: SimulatedCall['json'],
  authorization: string | undefined,
): string | undefined {
  if (endpoint === 'token') return textField({ json }, 'refresh_token');
  if (isForClients(endpoint)) return textField({ json }, 'token');
  return authorization?.startsWith('Bearer ') === true ? authorization.slice('Bearer '.length) : undefined;
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
