import type { AuthorizationCount } from '../domain/fleet-readings.js';
import { MINUTE_MS } from '../domain/duration.js';
import { AUTHORIZATION_STATUSES, type AuthorizationStatus } from '../domain/authorization.js';
import { TIME_SPANS, type TimeSpan } from '../domain/time-grid.js';
import type { ConsoleLinks } from './console-links.js';
import { errorsSection, type ErrorsContent } from './errors.section.js';
import type { Overview } from './fleet-overview.js';
import { html, type Html, type HtmlPart } from './html.js';
import { layout } from './layout.js';
import { refreshCharts } from './refresh-charts.js';
import type { HistoryBucket } from './refresh-history.js';
import { searchForm } from './search-form.js';
import {
  count,
  duration,
  GATE_WORDS,
  percent,
  plural,
  SPAN_WORDS,
  STATE_WORDS,
  STATUS_WORDS,
} from './words.js';

export interface OverviewContent {
  readonly links: ConsoleLinks;
  readonly overview: Overview;
  readonly span: TimeSpan;
  readonly buckets: readonly HistoryBucket[];
  readonly errors: ErrorsContent;
}

export function overviewPage(content: OverviewContent): Html {
  const { links, overview, span, buckets, errors } = content;
  return layout({
    title: 'Overview',
    links,
    at: 'overview',
    body: html`<div class="intro">
        <div>
          <h1>Overview</h1>
          <p class="state ${overview.state}">
            <strong>${STATE_WORDS[overview.state]}</strong> ${stateSentence(overview)}
          </p>
        </div>
        ${searchForm({ links })}
      </div>
      ${gates(overview)}
      <section aria-labelledby="authorizations">
        <h2 id="authorizations">Authorizations</h2>
        ${statusTiles(overview.counts, links)}
      </section>
      <section aria-labelledby="now">
        <h2 id="now">At this moment</h2>
        ${momentTiles(overview)}
      </section>
      <section aria-labelledby="history">
        <div class="section-head">
          <h2 id="history">Refreshing</h2>
          <nav aria-label="Time shown">
            <ul class="spans">
              ${TIME_SPANS.map((each) => spanLink(each, span, links))}
            </ul>
          </nav>
        </div>
        ${refreshCharts(span, buckets)}
      </section>
      ${errorsSection(errors)}`,
  });
}

function stateSentence({ rate, windowMs, scope }: Overview): string {
  const whose =
    scope === 'fleet' ? 'over all replicas' : 'of this replica alone: the database does not answer';
  const minutes = String(windowMs / MINUTE_MS);
  if (rate.rate === null) return `No refresh with a verdict in the last ${minutes} minutes, ${whose}.`;
  return `${percent(rate.rate)} of ${plural(rate.samples, 'refresh', 'refreshes')} in the last ${minutes} minutes, ${whose}.`;
}

function gates({ closedGates }: Overview): Html | null {
  if (closedGates === null || closedGates.length === 0) return null;
  return html`<div class="notice bad" role="status">
    <p><strong>Refreshing is held back.</strong></p>
    <ul>
      ${closedGates.map((gate) => html`<li><code>${gate}</code>: ${GATE_WORDS[gate]}</li>`)}
    </ul>
  </div>`;
}

function statusTiles(counts: readonly AuthorizationCount[] | null, links: ConsoleLinks): Html {
  if (counts === null) return html`<p class="card empty">The database does not answer just now.</p>`;
  const of = (status: AuthorizationStatus) => counts.filter((each) => each.status === status);
  return html`<ul class="tiles statuses">
    ${AUTHORIZATION_STATUSES.map(
      (status) =>
        html`<li class="tile ${totalOf(of(status)) === 0 ? '' : status}">
          <a href="${links.list({ status })}">
            <span class="tile-label">${STATUS_WORDS[status]}</span>
            <span class="tile-figure">${count(totalOf(of(status)))}</span>
          </a>
          ${reasons(of(status))}
        </li>`,
    )}
  </ul>`;
}

function reasons(counts: readonly AuthorizationCount[]): Html | null {
  const known = counts.filter(({ reason }) => reason !== null);
  if (known.length === 0) return null;
  return html`<ul class="reasons">
    ${known.map(({ reason, total }) => html`<li><code>${reason}</code> ${count(total)}</li>`)}
  </ul>`;
}

function momentTiles(overview: Overview): Html {
  const { closedGates, lostGrants, pendingPairs, oldestPendingPairMs, rate } = overview;
  return html`<dl class="tiles">
    ${tile('Refresh success rate', percent(rate.rate), 'last 15 minutes')}
    ${tile('Lost grants', count(lostGrants), 'last 15 minutes', lostGrants > 0)}
    ${tile('Breakers open', closedGates === null ? '–' : count(closedGates.length), 'all replicas', (closedGates?.length ?? 0) > 0)}
    ${tile(
      'Pending pairs',
      count(pendingPairs),
      pendingPairs === 0 ? 'this replica' : `this replica; the oldest for ${duration(oldestPendingPairMs)}`,
      pendingPairs > 0,
    )}
  </dl>`;
}

function tile(label: string, figure: HtmlPart, scope: string, isBad = false): Html {
  return html`<div class="tile ${isBad ? 'bad' : ''}">
    <dt class="tile-label">${label}</dt>
    <dd class="tile-figure">${figure}</dd>
    <dd class="quiet">${scope}</dd>
  </div>`;
}

function spanLink(span: TimeSpan, shown: TimeSpan, links: ConsoleLinks): Html {
  const href = links.overview({ span });
  return span === shown
    ? html`<li><a href="${href}" aria-current="true">${SPAN_WORDS[span]}</a></li>`
    : html`<li><a href="${href}">${SPAN_WORDS[span]}</a></li>`;
}

function totalOf(counts: readonly AuthorizationCount[]): number {
  return counts.reduce((sum, { total }) => sum + total, 0);
}
