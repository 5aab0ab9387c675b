import type { IncomingHttpHeaders } from 'node:http';
import type { RequestEntry } from './request.journal.js';
import type { IssuedToken } from './token.register.js';
import type { Answer } from './wire.answers.js';

/** The connection as registered with Notion, which is to say the application's own settings there. */
export interface RegisteredConnection {
  readonly clientId: string;
  clientSecret: string;
  readonly name: string;
  /** `null` accepts every redirect URI. */
  redirectUris: string[] | null;
}

/** One request, read whole and entered in the ledger. */
export interface SimulatedCall {
  readonly entry: RequestEntry;
  readonly method: string;
  readonly path: string;
  /** The part of the URL behind the question mark. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body of a JSON request; `undefined` when it is none or not an object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  /** The token presented, when it was issued here; dead or alive. */
  readonly token: IssuedToken | undefined;
}

export interface Endpoint {
  answer(call: SimulatedCall): Answer;
}

/** The value of a string field of the JSON body; `undefined` for everything else. */
export function textField(call: Pick<SimulatedCall, 'json'>, name: string): string | undefined {
  const value = call.json?.[name];
  return typeof value === 'string' ? value : undefined;
}
