import type { IncomingHttpHeaders } from 'node:http';
import { textOf, type HttpAnswer } from './http-answer.js';

type WholeAnswer = HttpAnswer & { readonly body: Uint8Array };

/** The answer as `fetch` gives it: a `Response`. */
export function toResponse(answer: HttpAnswer): Response {
  if (answer.body instanceof Uint8Array) return new WholeResponse(answer as WholeAnswer);
  const { url, status, statusText, headers } = answer;
  const response = new Response(answer.body, { status, statusText, headers: toHeaders(headers) });
  return Object.defineProperty(response, 'url', { value: url });
}

/** What stays as it is; Notion answers no forms. */
type Inherited = Pick<Response, 'ok' | 'status' | 'statusText' | 'type' | 'redirected' | 'formData'>;

// The class itself. TypeScript sees its accessors as properties, which could not be overridden.
const ResponseHead = Response as new (body: null, init: ResponseInit) => Inherited;

/**
 * A `Response` whose body is in memory. It reads text and JSON straight from there: a `Response` built around the
 * bytes would wrap them in a stream first, which takes longer than the rest of the call. Whoever asks for the stream
 * gets it, from a plain `Response` that rules from then on.
 */
const WholeResponse: new (answer: WholeAnswer) => Response = class extends ResponseHead {
  readonly #answer: WholeAnswer;
  #isRead = false;
  #headers: Headers | undefined;
  #plain: Response | undefined;

  constructor(answer: WholeAnswer) {
    const { status, statusText } = answer;
    super(null, { status, statusText });
    this.#answer = answer;
  }

  get url(): string {
    return this.#answer.url;
  }

  get headers(): Headers {
    return (this.#headers ??= toHeaders(this.#answer.headers));
  }

  get body() {
    return this.#asPlain().body;
  }

  get bodyUsed(): boolean {
    return this.#plain?.bodyUsed ?? this.#isRead;
  }

  async text(): Promise<string> {
    return this.#plain === undefined ? textOf(this.#read()) : this.#plain.text();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#plain === undefined ? new Uint8Array(this.#read()).buffer : this.#plain.arrayBuffer();
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.arrayBuffer());
  }

  blob() {
    return this.#asPlain().blob();
  }

  clone(): Response {
    if (this.bodyUsed || this.#plain?.body?.locked === true)
      throw new TypeError('Body has already been consumed');
    return new WholeResponse(this.#answer);
  }

  #read(): Uint8Array {
    // A second reading is refused, as the standard has it, unless there is nothing to read.
    if (this.#isRead && !hasNoBody(this.#answer)) throw new TypeError('Body has already been consumed');
    this.#isRead = !hasNoBody(this.#answer);
    return this.#answer.body;
  }

  #asPlain(): Response {
    if (this.#plain !== undefined) return this.#plain;
    const body = hasNoBody(this.#answer) ? null : (this.#answer.body as Uint8Array<ArrayBuffer>);
    this.#plain = new Response(body, { headers: this.headers });
    if (this.#isRead) void this.#plain.arrayBuffer();
    return this.#plain;
  }
};

function hasNoBody({ status }: HttpAnswer): boolean {
  return status === 204 || status === 205 || status === 304;
}

function toHeaders(given: IncomingHttpHeaders): Headers {
  const { 'set-cookie': cookies, ...single } = given;
  const headers = new Headers(single as Record<string, string>);
  for (const cookie of cookies ?? []) headers.append('set-cookie', cookie);
  return headers;
}
