import { diagnose } from '../diagnosis/diagnose.js';
import { attemptList } from './attempt-list.js';
import type { AuthorizationContent } from './authorization.content.js';
import { disconnectQuestion } from './disconnect-question.js';
import { html, type Html, type HtmlPart } from './html.js';
import { layout } from './layout.js';
import { meaning } from './meaning.js';
import { moment } from './moment.js';
import { noteNotice } from './note-notice.js';
import { actions, owners } from './operator-forms.js';
import { STATUS_WORDS } from './words.js';
import { nameOf } from './workspace-name.js';

export function authorizationPage(content: AuthorizationContent): Html {
  const { links, authorization, note, reconnectLink, asksToDisconnect } = content;
  const { status, reason } = authorization;
  return layout({
    title: nameOf(authorization),
    links,
    at: null,
    body: html`<p class="back"><a href="${links.list()}">All authorizations</a></p>
      <div class="intro">
        <div class="heading">
          <h1>${nameOf(authorization)}</h1>
          <p class="standing">
            <span class="status ${status}">${STATUS_WORDS[status]}</span>
            ${reason === null ? null : html`<code>${reason}</code>`}
          </p>
        </div>
      </div>
      ${note === null ? null : noteNotice(note)} ${reconnectLink === null ? null : linkPanel(reconnectLink)}
      ${asksToDisconnect === null ? null : disconnectQuestion(content, asksToDisconnect)}
      ${status === 'needs_reconnect' ? needsThePerson() : null}
      <div class="columns">
        <div class="stack side">${actions(content)} ${owners(content)}</div>
        <div class="stack">
          <section class="card" aria-labelledby="facts">
            <h2 id="facts">Facts</h2>
            ${facts(content)}
          </section>
          <section class="card" aria-labelledby="attempts">
            <h2 id="attempts">Last attempts to refresh</h2>
            ${attemptList(content)}
          </section>
        </div>
      </div>`,
  });
}

function linkPanel(link: string): Html {
  return html`<section class="card link-panel" aria-labelledby="link">
    <h2 id="link">Reconnect link</h2>
    <p>
      Send it to the person who connected this workspace. It holds no secret: they sign in to the application
      as usual, and only an owner of this authorization gets anywhere with it.
    </p>
    <label>Link to copy <input type="text" readonly value="${link}" /></label>
  </section>`;
}

function needsThePerson(): Html {
  return html`<section class="card callout" aria-labelledby="why">
    <h2 id="why">Why calls are refused here</h2>
    ${meaning(diagnose({ code: 'notion_reconnect_required' }, { stage: 'refresh' }))}
  </section>`;
}

function facts({ authorization, now }: AuthorizationContent): Html {
  const fact = (label: string, value: HtmlPart) =>
    html`<div>
      <dt>${label}</dt>
      <dd>${value}</dd>
    </div>`;
  const code = (value: string | null) =>
    value === null ? html`<span class="quiet">none</span>` : html`<code>${value}</code>`;
  const { status } = authorization;
  return html`<dl class="facts">
    ${fact(`${STATUS_WORDS[status]} since`, moment(authorization.statusSince, now))}
    ${fact('Connected', moment(authorization.createdAt, now))}
    ${fact('Last renewed', moment(authorization.lastSuccessAt, now))}
    ${fact('Last attempt', moment(authorization.lastAttemptAt, now))}
    ${fact('Pair stored', moment(authorization.pairStoredAt, now))} ${fact('Version', authorization.version)}
    ${fact('Can be renewed', authorization.hasRefreshToken ? 'yes' : 'no: there is no refresh token')}
    ${fact('Granted by', authorization.ownerKind === 'user' ? code(authorization.ownerUserId) : 'the whole workspace')}
    ${fact('Authorization', code(authorization.id))} ${fact('Workspace', code(authorization.workspaceId))}
    ${fact('Bot', code(authorization.botId))}
  </dl>`;
}
