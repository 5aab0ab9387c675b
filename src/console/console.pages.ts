import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { NotionConnectService } from '../connect/notion-connect.service.js';
import { AuthorizationDirectory } from '../domain/authorization-directory.js';
import { Clock } from '../domain/clock.js';
import { NotionAuthError } from '../domain/errors.js';
import { bucketsUntil, TIME_GRIDS } from '../domain/time-grid.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { storeCall } from '../refresh/store-call.js';
import { authorizationPage } from './authorization.page.js';
import type { ConsoleLinks } from './console-links.js';
import {
  isUuid,
  placeIn,
  queryOf,
  searchIn,
  spanIn,
  statusIn,
  type ConsoleRequest,
} from './console.request.js';
import { ownErrors, refreshErrors } from './error-rows.js';
import { FleetOverview } from './fleet-overview.js';
import type { Html } from './html.js';
import { listPage } from './list.page.js';
import { messagePage } from './message.page.js';
import { overviewPage } from './overview.page.js';
import { RefreshHistory } from './refresh-history.js';
import { SignedNotes } from './signed-notes.js';

const PAGE_SIZE = 25;
const ATTEMPTS_SHOWN = 10;

export interface AnsweredPage {
  readonly status: number;
  readonly page: Html;
}

/** Reads what a page shows, and makes it. */
@Injectable()
export class ConsolePages {
  constructor(
    private readonly directory: AuthorizationDirectory,
    private readonly fleet: FleetOverview,
    private readonly history: RefreshHistory,
    private readonly failures: RecentFailures,
    private readonly connects: NotionConnectService,
    private readonly notes: SignedNotes,
    private readonly clock: Clock,
  ) {}

  /** Also while the database does not answer: then it says so. */
  async overview(request: ConsoleRequest, links: ConsoleLinks): Promise<AnsweredPage> {
    const span = spanIn(queryOf(request));
    const [overview, buckets] = await Promise.all([this.fleet.read(), this.history.over(span)]);
    const own = this.failures.list(span);
    const numbers = bucketsUntil(TIME_GRIDS[span], this.clock.now());
    const rows = {
      refresh: refreshErrors(buckets),
      exchange: ownErrors('exchange', own, numbers),
      api: ownErrors('api', own, numbers),
      webhook: ownErrors('webhook', own, numbers),
    };
    const errors = { span, times: buckets.map(({ from }) => from), rows, since: this.failures.since };
    return { status: 200, page: overviewPage({ links, overview, span, buckets, errors }) };
  }

  list(request: ConsoleRequest, links: ConsoleLinks): Promise<AnsweredPage> {
    return this.orUnavailable(links, async () => {
      const query = queryOf(request);
      const [status, text, after] = [statusIn(query), searchIn(query), placeIn(query)];
      const found = await storeCall(this.directory.search({ status, text, after, limit: PAGE_SIZE + 1 }));
      const page = listPage({
        links,
        now: this.clock.now(),
        text,
        status,
        found: found.slice(0, PAGE_SIZE),
        hasMore: found.length > PAGE_SIZE,
        isLater: after !== undefined,
      });
      return { status: 200, page };
    });
  }

  authorization(
    id: string,
    request: ConsoleRequest,
    { links, formToken }: { readonly links: ConsoleLinks; readonly formToken: string },
  ): Promise<AnsweredPage> {
    return this.orUnavailable(links, async () => {
      const authorization = isUuid(id) ? await storeCall(this.directory.find(id)) : null;
      if (authorization === null) return { status: 404, page: this.notFound(links) };
      const [owners, attempts] = await storeCall(
        Promise.all([this.directory.ownersOf(id), this.directory.attemptsOf(id, ATTEMPTS_SHOWN)]),
      );
      const query = queryOf(request);
      const note = this.notes.read(id, query.get('did'));
      const isLinkShown = note?.action === 'reconnect-link' && note.outcome === 'shown';
      const page = authorizationPage({
        links,
        now: this.clock.now(),
        formToken,
        authorization,
        owners,
        attempts,
        note,
        reconnectLink: isLinkShown ? this.connects.reconnectLink(id) : null,
        asksToDisconnect: disconnectIn(query),
      });
      return { status: 200, page };
    });
  }

  notFound(links: ConsoleLinks): Html {
    return messagePage({
      links,
      title: 'There is no such authorization',
      text: 'Nothing of this application has that id. It may be of another client id or another database.',
    });
  }

  outOfDate(links: ConsoleLinks): Html {
    return messagePage({
      links,
      title: 'This form is out of date',
      text: 'It was not sent by a page that this browser has open here, so nothing was done. Open the page again, then press the button once more.',
    });
  }

  /** Names the option only where a proxy may be the reason: the browser named an origin and nothing else. */
  otherOrigin(links: ConsoleLinks, { origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): Html {
    if (origin === undefined || site !== undefined) return this.outOfDate(links);
    return messagePage({
      links,
      title: 'This form came from another address',
      text: `The browser sent this form from ${origin}, but the console received it for ${host ?? 'no host'}, so nothing was changed. If your address bar shows ${origin}, a proxy changes the Host header: set the option publicOrigin of NotionAuthConsoleModule to ${origin}, or let the proxy send X-Forwarded-Host. If it does not, close this page and open the console again at its own address.`,
    });
  }

  private async orUnavailable(
    links: ConsoleLinks,
    answer: () => Promise<AnsweredPage>,
  ): Promise<AnsweredPage> {
    try {
      return await answer();
    } catch (error) {
      if (!(error instanceof NotionAuthError)) throw error;
      const text =
        'This replica cannot read its authorizations just now. Nothing was changed. Try again in a moment.';
      return { status: 503, page: messagePage({ links, title: 'The database does not answer', text }) };
    }
  }
}

function disconnectIn(query: URLSearchParams): { readonly owner: string } | 'all' | null {
  if (query.get('ask') !== 'disconnect') return null;
  const owner = query.get('owner');
  return owner === null ? 'all' : { owner };
}
