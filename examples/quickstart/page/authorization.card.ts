import type { Authorization } from 'nestjs-notion-auth';
import { html, type Html } from './html.js';
import { moment } from './moment.js';
import { reasonInWords } from './reason.words.js';

export interface CardSurroundings {
  readonly now: Date;
  readonly formToken: string;
  readonly simulated: boolean;
}

const STATUS_WORDS: Readonly<Record<Authorization['status'], string>> = {
  active: 'Active',
  needs_reconnect: 'Needs reconnect',
  revoked: 'Disconnected',
};

/** One connected workspace: how it is, and what can be done with it. */
export function authorizationCard(authorization: Authorization, surroundings: CardSurroundings): Html {
  const { id, status } = authorization;
  const name = authorization.workspaceName ?? 'Workspace without a name';
  return html`<article
    class="card"
    data-authorization="${id}"
    data-status="${status}"
    aria-labelledby="name-${id}"
  >
    <header>
      <span class="icon" aria-hidden="true">${iconOf(authorization, name)}</span>
      <h3 id="name-${id}">${name}</h3>
      <p class="status ${status}">${STATUS_WORDS[status]}</p>
    </header>
    ${status === 'active' ? null : needsThePerson(authorization)} ${facts(authorization, surroundings.now)}
    ${buttons(authorization, surroundings)}
  </article>`;
}

/** An emoji as it is; a URL would be a request to somebody else, so the initial stands in for it. */
function iconOf({ workspaceIcon }: Authorization, name: string): string {
  const isEmoji = workspaceIcon !== null && !workspaceIcon.includes(':') && !workspaceIcon.includes('/');
  return isEmoji ? workspaceIcon : name.slice(0, 1).toUpperCase();
}

function needsThePerson({ id, reason }: Authorization): Html {
  return html`<div class="callout">
    <p>${reasonInWords(reason ?? 'disconnected')} Reconnect it; it keeps its id.</p>
    <a class="button primary" href="${reconnectPath(id)}">Reconnect</a>
  </div>`;
}

function facts(authorization: Authorization, now: Date): Html {
  const { id, version, lastSuccessAt, pairStoredAt } = authorization;
  return html`<dl class="facts">
    <div>
      <dt>Token version</dt>
      <dd data-fact="version">${version}</dd>
    </div>
    <div>
      <dt>Last refresh</dt>
      <dd>${moment(lastSuccessAt, now)}</dd>
    </div>
    <div>
      <dt>Pair stored</dt>
      <dd>${moment(pairStoredAt, now)}</dd>
    </div>
    <div class="wide">
      <dt>Authorization id</dt>
      <dd><code>${id}</code></dd>
    </div>
  </dl>`;
}

function buttons(authorization: Authorization, { simulated, formToken }: CardSurroundings): Html {
  const button = (action: string, label: string, kind = '') =>
    html` <form method="post" action="/authorizations/${authorization.id}/${action}">
      <input type="hidden" name="formToken" value="${formToken}" />
      <button type="submit" class="button ${kind}">${label}</button>
    </form>`;
  return html` ${buttonGroup('Call Notion', [
    button('who-am-i', 'Who am I'),
    button('search', 'Search'),
    button('burst', '100 calls at once'),
  ])}
  ${simulated ? trouble(button) : null}
  ${buttonGroup('Connection', [
    authorization.status === 'active'
      ? html`<a class="button" href="${reconnectPath(authorization.id)}">Reconnect</a>`
      : null,
    button('disconnect', 'Disconnect', 'danger'),
  ])}`;
}

function trouble(button: (action: string, label: string) => Html): Html {
  return buttonGroup('Make trouble (simulator)', [
    button('forget', 'Make Notion forget the access token'),
    button('revoke', 'Revoke in Notion'),
  ]);
}

function buttonGroup(label: string, members: readonly (Html | null)[]): Html {
  return html`<div class="group" role="group" aria-label="${label}">
    <p class="group-label" aria-hidden="true">${label}</p>
    ${members}
  </div>`;
}

function reconnectPath(id: string): string {
  return `/notion/connect?reconnect=${id}&returnTo=/%3Fnotion%3Dconnected`;
}
