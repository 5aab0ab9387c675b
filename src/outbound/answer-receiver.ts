import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { errors, type Dispatcher } from 'undici';
import type { HttpAnswer } from './http-answer.js';

type Controller = Dispatcher.DispatchController;

const DECODERS: Readonly<
  Record<string, (body: Uint8Array, limits: { maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** What an answer may be compressed with. */
export const ACCEPTED_ENCODINGS = Object.keys(DECODERS).join(', ');

/**
 * Takes one answer off the wire. undici's `request` would do the same by way of a Node stream and an `AbortSignal`
 * for every call; the answers of an API are small and wanted whole, so they are collected here.
 */
export class AnswerReceiver implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private receivedBytes = 0;
  private endStream: () => void = () => undefined;
  private head: Pick<HttpAnswer, 'url' | 'status' | 'statusText' | 'headers'> | undefined;
  private controller: Controller | undefined;
  private events: ReadableStreamDefaultController<Uint8Array> | undefined;
  private cancelled: Error | undefined;

  constructor(
    private readonly url: string,
    private readonly maxBytes: number,
    private readonly resolve: (answer: HttpAnswer | Promise<HttpAnswer>) => void,
    private readonly reject: (reason: Error) => void,
  ) {}

  /** Ends this call alone, wherever it is: in the pool's queue, on the wire, or streaming. */
  cancel(reason: Error): void {
    this.cancelled = reason;
    this.reject(reason);
    this.controller?.abort(reason);
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.cancelled !== undefined) controller.abort(this.cancelled);
  }

  onResponseStart(
    controller: Controller,
    status: number,
    headers: IncomingHttpHeaders,
    statusText = '',
  ): void {
    if (status < 200) return; // 1xx only announces the answer
    this.head = { url: this.url, status, statusText, headers };
    if (isEventStream(headers)) this.resolve({ ...this.head, ...this.openStream(controller) });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.events === undefined) {
      this.collect(controller, chunk);
      return;
    }
    this.events.enqueue(chunk);
    if ((this.events.desiredSize ?? 0) <= 0) controller.pause();
  }

  onResponseEnd(): void {
    this.endStream();
    if (this.events === undefined) this.resolve(this.wholeAnswer());
    else this.events.close();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.endStream();
    const reason = this.cancelled ?? new TypeError('fetch failed', { cause: error });
    if (this.events === undefined) this.reject(reason);
    else this.events.error(reason);
  }

  private collect(controller: Controller, chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    if (this.receivedBytes > this.maxBytes) controller.abort(new errors.ResponseExceededMaxSizeError());
    else this.chunks.push(chunk);
  }

  private openStream(controller: Controller): Pick<HttpAnswer, 'body' | 'streamEnded'> {
    const streamEnded = new Promise<void>((resolve) => {
      this.endStream = resolve;
    });
    const body = new ReadableStream<Uint8Array>({
      start: (events) => {
        this.events = events;
      },
      pull: () => {
        controller.resume();
      },
      cancel: () => {
        controller.abort(new Error('The reader cancelled the stream.'));
      },
    });
    return { body, streamEnded };
  }

  private wholeAnswer(): HttpAnswer | Promise<HttpAnswer> {
    const head = this.head!;
    const body = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    const decode = DECODERS[head.headers['content-encoding'] ?? ''];
    if (decode === undefined || body.length === 0) return { ...head, body };
    return decode(body, { maxOutputLength: this.maxBytes }).then(
      (decoded) => ({ ...head, body: decoded }),
      (error: unknown) => Promise.reject(new TypeError('fetch failed', { cause: error })),
    );
  }
}

function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}
