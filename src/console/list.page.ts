import type { Authorization, AuthorizationStatus } from '../domain/authorization.js';
import type { ConsoleLinks } from './console-links.js';
import { placeText } from './console.request.js';
import { html, type Html } from './html.js';
import { layout } from './layout.js';
import { shortMoment } from './moment.js';
import { searchForm } from './search-form.js';
import { STATUS_WORDS } from './words.js';
import { nameOf } from './workspace-name.js';

export interface ListContent {
  readonly links: ConsoleLinks;
  readonly now: Date;
  readonly text?: string;
  readonly status?: AuthorizationStatus;
  readonly found: readonly Authorization[];
  readonly hasMore: boolean;
  /** Not the first page. */
  readonly isLater: boolean;
}

export function listPage(content: ListContent): Html {
  const { links, text, status, found } = content;
  return layout({
    title: 'Authorizations',
    links,
    at: 'authorizations',
    body: html`<div class="intro">
        <div>
          <h1>Authorizations</h1>
          <p class="lead">Whose status changed last comes first.</p>
        </div>
        ${searchForm({ links, text, status })}
      </div>
      ${
        found.length === 0
          ? nothing(content)
          : html`<ol class="card list">
              ${found.map((each) => row(each, content))}
            </ol>`
      }
      ${pager(content)}`,
  });
}

function nothing({ text, status, isLater, links }: ListContent): Html {
  const isFiltered = text !== undefined || status !== undefined || isLater;
  return html`<div class="card empty">
    <p><strong>${isFiltered ? 'Nothing is found.' : 'Nobody has connected Notion yet.'}</strong></p>
    ${
      isFiltered
        ? html`<p>
            A name is found by any part of it, an id by its beginning. <a href="${links.list()}">Show all</a>
          </p>`
        : html`<p>Authorizations appear here when the first person has been through the connect page.</p>`
    }
  </div>`;
}

function row(authorization: Authorization, { links, now }: ListContent): Html {
  const { id, status, reason, workspaceId, lastSuccessAt, statusSince } = authorization;
  return html`<li data-authorization="${id}">
    <div class="who">
      <a class="name" href="${links.authorization(id)}">${nameOf(authorization)}</a>
      <code>${workspaceId}</code>
    </div>
    <div class="standing">
      <span class="status ${status}">${STATUS_WORDS[status]}</span>
      ${reason === null ? null : html`<code>${reason}</code>`}
    </div>
    <p class="when"><span class="label">since</span> ${shortMoment(statusSince, now)}</p>
    <p class="when"><span class="label">renewed</span> ${shortMoment(lastSuccessAt, now)}</p>
  </li>`;
}

function pager({ links, text, status, found, hasMore, isLater }: ListContent): Html | null {
  const last = found.at(-1);
  const next = hasMore && last !== undefined ? links.list({ q: text, status, after: placeText(last) }) : null;
  if (next === null && !isLater) return null;
  return html`<nav class="pager" aria-label="Pages">
    ${isLater ? html`<a class="button" href="${links.list({ q: text, status })}">First page</a>` : null}
    ${next === null ? null : html`<a class="button" rel="next" href="${next}">Next page</a>`}
  </nav>`;
}
