import { isSecretName } from './masked-text.js';

const MAX_FACT_LENGTH = 256;
const MAX_LINE_LENGTH = 1_024;

/**
 * What a line may say, in the order in which it is said; `docs/logs.md` explains each. Notion's answer (`status`,
 * `code`, `request`) and our own (`answered`) are facts of their own, never folded into one.
 */
export interface LogFacts {
  /** Where it happened. */
  readonly stage?: 'exchange' | 'refresh' | 'api' | 'webhook' | 'revoke';
  /** Which of several things the event is. */
  readonly kind?: string;
  readonly outcome?: string;
  readonly refusal?: string;
  /** The `iss` of a callback, where it is not the configured one. */
  readonly issuer?: string;
  /** The configured issuer of callbacks. */
  readonly expected_issuer?: string | null;
  readonly reason?: string | null;
  /** Path of a request to us, without its query. */
  readonly route?: string;
  /** Notion's HTTP status. */
  readonly status?: number;
  /** Notion's code, the socket's, or the driver's. */
  readonly code?: string;
  /** Host and port of the outgoing proxy. */
  readonly proxy?: string;
  /** Notion's request id. */
  readonly request?: string;
  /** The status that we answered with. */
  readonly answered?: number;
  /** The Notion client that an event is about. */
  readonly client?: string;
  readonly authorization?: string | null;
  readonly bot?: string | null;
  readonly workspace?: string | null;
  readonly attempt?: string | null;
  readonly trigger?: string;
  /** Name or code of an error that is not Notion's. */
  readonly error?: string;
  readonly version?: number;
  readonly tries?: number;
  /** Id of an event, of ours or of a webhook. */
  readonly event?: string;
  readonly type?: string;
  /** Which delivery of the same webhook event it is. */
  readonly delivery?: number | null;
  readonly ray?: string;
  /** Name of a journal file, without its folder. */
  readonly file?: string;
  readonly until?: string;
  readonly reconnect?: string | null;
  /** The host on which the user has opened the application. */
  readonly host?: string;
  /** The host of the redirect URI. */
  readonly redirect_host?: string;
  /** Who used the console, as the application names them. */
  readonly actor?: string;
  /** How many owners an action of the console was for. */
  readonly owners?: number;
  /** Lines of the same kind that were not written. */
  readonly suppressed?: number;
}

type Fact = string | number | boolean | null | undefined;

/** One line of printable ASCII, whatever the facts hold. */
export function logLine(event: string, facts: object): string {
  const pairs = Object.entries(facts as Readonly<Record<string, Fact>>).flatMap(([name, fact]) =>
    fact == null || isSecretName(name) ? [] : [`${name}=${encoded(wellFormed(fact))}`],
  );
  return [event, ...pairs].join(' ').slice(0, MAX_LINE_LENGTH);
}

/** The characters of a host and a URL stand as they are: none of them ends a fact or a line. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replaceAll('%2F', '/')
    .replaceAll('%5B', '[')
    .replaceAll('%5D', ']');
}

/** Half a surrogate pair, as broken JSON may bring it, has no encoding. */
function wellFormed(fact: NonNullable<Fact>): string {
  return Buffer.from(String(fact).slice(0, MAX_FACT_LENGTH)).toString();
}
