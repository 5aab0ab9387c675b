import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { passOn } from '../config/http-context.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { selectRedirectUri } from '../config/redirect-uri.selection.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from '../config/notion-auth.wiring.js';
import { isOwnPath } from '../config/own-path.js';
import {
  NotionAuthError,
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { connectAnswerFor } from './connect-answer.js';
import { renderConnectPage, type ConnectPage } from './connect.page.js';
import { ConnectLog } from './connect-log.js';
import { isFromScript, type ConnectRequest } from './connect-request.js';
import { ConnectResponder } from './connect.responder.js';
import { returnToWith } from './return-to.js';
import { verifiedCallbackOf } from './verified-callback.js';

/**
 * Turns what connecting throws into what the browser gets: a person who declined goes back with `notion=denied`, one
 * whose connect is complete already goes back as the first time, everybody else sees a page that says what happened and
 * what to do. Scripts get the code as JSON.
 */
@Catch(NotionAuthError)
export class NotionConnectFilter implements ExceptionFilter<NotionAuthError> {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    @Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring,
    private readonly responder: ConnectResponder,
    private readonly log: ConnectLog,
  ) {}

  catch(error: NotionAuthError, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') return passOn(error, host);
    const http = host.switchToHttp();
    this.respond(error, http.getRequest<ConnectRequest>(), http.getResponse<unknown>());
    return undefined;
  }

  private respond(error: NotionAuthError, request: ConnectRequest, response: unknown): void {
    const location = locationOf(error);
    if (location !== null) {
      this.responder.seeOther(response, location);
      return;
    }
    if (error instanceof NotionCallbackRefusedError && error.refusal === 'speculative') {
      this.responder.nothing(response, request);
      return;
    }
    const { code } = error;
    const { status, title, paragraphs } = connectAnswerFor(error);
    this.log.answered(error, request);
    if (isFromScript(request)) {
      this.responder.json(response, status, { code, message: paragraphs[0] });
    } else {
      const html = renderConnectPage({ title, paragraphs, code, next: this.nextStep(error, request) });
      this.responder.page(response, status, html);
    }
  }

  private nextStep(error: NotionAuthError, request: ConnectRequest): ConnectPage['next'] {
    const label = 'Back to the application';
    if (error instanceof NotionStoreUnavailableError && error.connecting !== null)
      return { href: error.connecting.returnTo, label };
    const connectPath = this.connectPath(request);
    const returnTo = verifiedCallbackOf(request)?.pending.returnTo ?? this.config.connect.defaultReturnTo;
    // A front end on another origin starts connects itself, with credentials that a link does not carry.
    if (connectPath === null || !isOwnPath(returnTo))
      return { href: returnToWith(returnTo, 'failed'), label };
    const query =
      error instanceof NotionOtherGrantError ? `?reconnect=${encodeURIComponent(error.authorizationId)}` : '';
    return { href: connectPath + query, label: 'Start again' };
  }

  /** The built-in connect route stands beside the callback, wherever a global prefix or a proxy put the two. */
  private connectPath({ host }: ConnectRequest): string | null {
    if (this.wiring.routes === false) return null;
    const { pathname } = new URL(selectRedirectUri(this.config.redirectUris, host));
    const callbackPath = /^(.*\/)callback\/?$/.exec(pathname);
    return callbackPath === null ? null : `${callbackPath[1]}connect`;
  }
}

/** Where a user goes without a page in between. */
function locationOf(error: NotionAuthError): string | null {
  if (error instanceof NotionConnectDeniedError) return returnToWith(error.returnTo, 'denied');
  return error instanceof NotionCallbackRefusedError ? (error.completed?.returnTo ?? null) : null;
}
