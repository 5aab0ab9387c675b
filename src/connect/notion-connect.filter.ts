import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { passOn } from '../config/http-context.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { selectRedirectUri } from '../config/redirect-uri.selection.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from '../config/notion-auth.wiring.js';
import {
  NotionAuthError,
  NotionConnectDeniedError,
  NotionOtherGrantError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { connectAnswerFor } from './connect-answer.js';
import { renderConnectPage, type ConnectPage } from './connect.page.js';
import type { ConnectRequest } from './connect-request.js';
import { ConnectResponder } from './connect.responder.js';
import { deniedReturnTo } from './return-to.js';

/**
 * Turns what connecting throws into what the browser gets: a person who declined goes back with `notion=denied`,
 * everybody else sees a page that says what happened and what to do. Clients that ask for JSON get the code.
 */
@Catch(NotionAuthError)
export class NotionConnectFilter implements ExceptionFilter<NotionAuthError> {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    @Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring,
    private readonly responder: ConnectResponder,
  ) {}

  catch(error: NotionAuthError, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') return passOn(error, host);
    this.respond(error, host);
    return undefined;
  }

  private respond(error: NotionAuthError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    if (error instanceof NotionConnectDeniedError) {
      this.responder.seeOther(response, deniedReturnTo(error.returnTo));
      return;
    }
    const { code } = error;
    const { status, title, paragraphs } = connectAnswerFor(error);
    const request = host.switchToHttp().getRequest<ConnectRequest>();
    if (prefersJson(request)) {
      this.responder.json(response, status, { code, message: paragraphs[0] });
    } else {
      const html = renderConnectPage({ title, paragraphs, code, next: this.nextStep(error, request) });
      this.responder.page(response, status, html);
    }
  }

  private nextStep(error: NotionAuthError, request: ConnectRequest): ConnectPage['next'] {
    const connectPath = this.connectPath(request);
    const connecting = error instanceof NotionStoreUnavailableError ? error.connecting : null;
    if (connecting !== null || connectPath === null) {
      const href = connecting?.returnTo ?? this.config.connect.defaultReturnTo;
      return { href, label: 'Back to the application' };
    }
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

function prefersJson({ headers }: ConnectRequest): boolean {
  const accept = headers.accept ?? '';
  return accept.includes('application/json') && !accept.includes('text/html');
}
