import { codeOfSentence, isKnownCode, knownCodesIn, type KnownCode } from './known-codes.js';

/** Longer texts are cut: an error is short, and a page pasted with it need not be read to its end. */
const LONGEST_TEXT = 65_536;
const DEEPEST = 6;

/** Where libraries put what an answer said. */
const CARRIERS = ['failure', 'body', 'data', 'additional_data', 'response', 'cause', 'errors'] as const;
const STATUS_FIELDS = ['status', 'statusCode', 'httpStatus'] as const;
const REQUEST_ID_FIELDS = ['request_id', 'requestId', 'x-notion-request-id'] as const;

/** How the SDK calls an answer whose body is none of the API's: the body itself is not in its message. */
const NO_API_ANSWER = /\bUnknownHTTPResponseError\b|\bRequest to Notion API failed with status\b/;
const HTML = /<!doctype html|<html[\s>]/i;
const STATUS_IN_TEXT =
  /(?:\bstatus(?:[ _]?code)?|\bHTTP(?:\/\d(?:\.\d)?)?)["']?[\s:=]{1,4}([1-5]\d\d)\b|\b([45]\d\d) (?:Forbidden|Unauthorized|Too Many|Bad|Not Found|Internal|Service|Gateway)/i;
const REQUEST_ID_IN_TEXT =
  /request[ _-]?id["']?[\s:=]{1,4}["']?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What an error holds that can be told on: codes of closed lists, a status, Notion's request id. */
export class ErrorFacts {
  readonly codes = new Set<KnownCode>();
  status: number | undefined;
  requestId: string | undefined;
  isHtml = false;
  /** An answer, and none of Notion's API: its body is not known. */
  isForeign = false;
  /** Headers said JSON: an answer of an API, whose body was not read. */
  isJson = false;
  private readonly seen = new Set<object>();

  /** Reads any error, answer or pasted text; never throws, whatever it is given. */
  static of(error: unknown): ErrorFacts {
    const facts = new ErrorFacts();
    facts.read(error, 0);
    return facts;
  }

  private read(value: unknown, depth: number): void {
    if (depth > DEEPEST) return;
    if (typeof value === 'string') this.readText(value.slice(0, LONGEST_TEXT), depth);
    else if (value instanceof Uint8Array) this.readText(textOf(value), depth);
    else if (Array.isArray(value)) for (const entry of value.slice(0, 10)) this.read(entry, depth + 1);
    else if (typeof value === 'object' && value !== null && !this.seen.has(value)) {
      this.seen.add(value);
      this.readObject(value, depth);
    }
  }

  private readObject(value: object, depth: number): void {
    for (const name of STATUS_FIELDS) this.noteStatus(field(value, name));
    for (const name of REQUEST_ID_FIELDS) this.noteRequestId(field(value, name));
    this.noteHeaders(field(value, 'headers'));
    this.noteCode(field(value, 'code'));
    this.noteCode(field(value, 'rate_limit_reason'));
    // Of `AbortSignal.timeout()`, whose code is a number.
    if (field(value, 'name') === 'TimeoutError') this.noteCode('timeout');
    // OAuth's error is a code; other people's is an object.
    const error = field(value, 'error');
    if (typeof error === 'string') this.noteCode(error);
    else this.read(error, depth + 1);
    for (const name of CARRIERS) this.read(field(value, name), depth + 1);
    if (this.codes.size === 0) this.read(field(value, 'message'), depth + 1);
  }

  private readText(text: string, depth: number): void {
    const json = jsonIn(text);
    if (json !== undefined) this.read(json, depth + 1);
    this.isHtml ||= HTML.test(text);
    this.isForeign ||= NO_API_ANSWER.test(text);
    const status = STATUS_IN_TEXT.exec(text);
    this.noteStatus(Number(status?.[1] ?? status?.[2]));
    this.noteRequestId(REQUEST_ID_IN_TEXT.exec(text)?.[1]);
    for (const code of knownCodesIn(text)) this.codes.add(code);
    if (this.codes.size === 0) this.noteCode(codeOfSentence(text));
  }

  private noteStatus(status: unknown): void {
    if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status < 600)
      this.status ??= status;
  }

  /** By its form alone: whatever else stands in its place may be anything, also a token. */
  private noteRequestId(requestId: unknown): void {
    if (typeof requestId === 'string' && UUID.test(requestId)) this.requestId ??= requestId;
  }

  private noteCode(code: unknown): void {
    if (typeof code === 'string' && isKnownCode(code)) this.codes.add(code);
  }

  private noteHeaders(headers: unknown): void {
    if (typeof headers !== 'object' || headers === null) return;
    this.noteRequestId(header(headers, 'x-notion-request-id'));
    const type = header(headers, 'content-type');
    if (typeof type !== 'string') return;
    this.isHtml ||= type.startsWith('text/html');
    this.isJson ||= type.startsWith('application/json');
  }
}

/** Of `Headers`, or of a plain object. */
function header(headers: object, name: string): unknown {
  const get = field(headers, 'get');
  return typeof get === 'function'
    ? attempt(() => (get as (name: string) => unknown).call(headers, name))
    : field(headers, name);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, LONGEST_TEXT)).toString('utf8');
}

/** The object that the text is, or the outermost one that stands in it. */
function jsonIn(text: string): unknown {
  const begin = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (begin < 0 || end < begin) return undefined;
  return attempt(() => JSON.parse(text.slice(begin, end + 1)) as unknown);
}

/** Errors may have getters, and getters may throw. */
function field(value: object, name: string): unknown {
  return attempt(() => (value as Readonly<Record<string, unknown>>)[name]);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
