import { AUTHORIZATION_STATUSES, type AuthorizationStatus } from '../domain/authorization.js';
import type { ConsoleLinks } from './console-links.js';
import { html, type Html } from './html.js';
import { STATUS_WORDS } from './words.js';

export interface SearchContent {
  readonly links: ConsoleLinks;
  readonly text?: string;
  readonly status?: AuthorizationStatus;
}

export function searchForm({ links, text = '', status }: SearchContent): Html {
  const option = (value: AuthorizationStatus) =>
    value === status
      ? html`<option value="${value}" selected>${STATUS_WORDS[value]}</option>`
      : html`<option value="${value}">${STATUS_WORDS[value]}</option>`;
  return html`<form class="search" method="get" action="${links.list()}" role="search">
    <label class="grow"
      >Search
      <input type="search" name="q" value="${text}" maxlength="128" placeholder="Workspace, owner or id"
    /></label>
    <label
      >Status
      <select name="status">
        <option value="">Any</option>
        ${AUTHORIZATION_STATUSES.map(option)}
      </select></label
    >
    <button type="submit" class="button primary">Search</button>
  </form>`;
}
