import { Injectable } from '@nestjs/common';
import { Client, RequestTimeoutError } from '@notionhq/client';
import type { AuthorizationId } from '../domain/authorization.js';
import { AuthorizedCalls } from './authorized-calls.js';
import { toResponse } from './fetch-response.js';
import { NotionHttpPool } from './notion-http.pool.js';
import type { FetchInput } from './outbound-request.js';

type SdkOptions = NonNullable<ConstructorParameters<typeof Client>[0]>;

/** What an application may decide of the SDK; where calls go and as whom is not among it. */
export type NotionClientOptions = Pick<SdkOptions, 'notionVersion' | 'retry' | 'logger' | 'logLevel'>;

/** `fetch` in the name of one authorization. A path alone (`/v1/users/me`) means the configured API. */
export type NotionFetch = (input: FetchInput, init?: RequestInit) => Promise<Response>;

/** The SDK's own limit counts the wait in the queue and aborts nothing; `outbound.callTimeoutMs` stands in for it. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * Notion's API in the name of an authorization. Every call asks for the token of its moment. Asks for no owner: for
 * the server's own work, not for ids that come with a request (`NotionTokenInterceptor` checks those).
 *
 * `outbound.maxConcurrentPerAuthorization` calls are on the wire at once, further ones queue; an event stream counts
 * until it opens. `outbound.callTimeoutMs` runs from the moment a call leaves the queue, renewal and repetition
 * included, and ends the call for good.
 */
@Injectable()
export class NotionClientFactory {
  constructor(
    private readonly calls: AuthorizedCalls,
    private readonly pool: NotionHttpPool,
  ) {}

  /**
   * The official SDK. Making one costs some microseconds and opens nothing, so make one where it is needed.
   *
   * The SDK's own retries stay as they are (429 and 529 for every method, 500 and 503 for GET and DELETE, twice):
   * no layer below repeats those, so they do not multiply. It logs nothing unless given a `logger`. `auth`, of a
   * call or of `options`, has no effect: the authorization's own token is what is sent.
   */
  forAuthorization(id: AuthorizationId, options: NotionClientOptions = {}): Client {
    const { notionVersion, retry, logger = () => undefined, logLevel } = options;
    return new Client({
      notionVersion,
      retry,
      logger,
      logLevel,
      baseUrl: this.pool.origin,
      timeoutMs: NEVER_MS,
      fetch: (url, init) => this.calls.send(id, url, init as RequestInit).then(toResponse, throwSdkTimeout),
    });
  }

  /**
   * `fetch` for one authorization, in the manner of the standard: resolves for every status, rejects with `TypeError`
   * when no answer came and with the signal's reason when aborted, but follows no redirect.
   *
   * A 401 `unauthorized` leads to one renewal and one repetition, unless the body is a stream. The
   * `authorization` header is always ours; one given by the caller is replaced.
   * @throws {@link NotionRequestRefusedError} before a socket is opened, for another origin, an OAuth endpoint, dot
   * segments or an unsendable header; and for a stream that a refused token left unrepeatable (`body_not_replayable`).
   * @throws what `NotionTokenService.getAccessToken` throws; an unauthenticated request is never made.
   */
  fetchFor(id: AuthorizationId): NotionFetch {
    return async (input, init) => toResponse(await this.calls.send(id, input, init));
  }
}

function throwSdkTimeout(error: unknown): never {
  throw error instanceof DOMException && error.name === 'TimeoutError' ? new RequestTimeoutError() : error;
}
