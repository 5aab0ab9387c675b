import type { Authorization } from 'nestjs-notion-auth';
import type { ActionResult } from '../actions/action.js';
import { authorizationCard } from './authorization.card.js';
import { html, type Html } from './html.js';
import { layout } from './layout.js';
import { resultPanel } from './result.panel.js';

export interface HomeContent {
  readonly nonce: string;
  readonly now: Date;
  readonly authorizations: readonly Authorization[];
  readonly result: ActionResult | null;
  readonly formToken: string;
  readonly simulated: boolean;
  /** How a trip to Notion ended, when the browser comes from one. */
  readonly arrival: 'connected' | 'denied' | null;
}

export function homePage(content: HomeContent): Html {
  const { nonce, simulated, authorizations, result, now } = content;
  return layout({
    title: 'Notion workspaces · nestjs-notion-auth quickstart',
    nonce,
    notionName: simulated ? 'Simulated Notion' : 'Notion',
    body: html` <div id="notice">${notice(content)}</div>
      <div class="intro">
        <div>
          <h1>Notion workspaces</h1>
          <p class="lead">${lead(simulated)}</p>
        </div>
        <a class="button primary" href="/notion/connect?returnTo=/%3Fnotion%3Dconnected"
          >Connect a Notion workspace</a
        >
      </div>
      <div class="columns">
        <section id="workspaces" aria-labelledby="workspaces-title">
          <h2 id="workspaces-title">Connected in this browser</h2>
          ${authorizations.length === 0 ? nothingYet() : authorizations.map((each) => authorizationCard(each, content))}
        </section>
        <div class="side">
          <section id="result" aria-labelledby="result-title" aria-live="polite" tabindex="-1">
            ${resultPanel(result, now)}
          </section>
          ${simulated ? thingsToTry() : null}
        </div>
      </div>`,
  });
}

function lead(simulated: boolean): string {
  return simulated
    ? 'A simulator stands in for Notion, so you can break things on purpose and watch the library mend them.'
    : 'Connect a workspace, call Notion through its official client, and let the library keep the tokens alive.';
}

function notice({ arrival }: HomeContent): Html | null {
  if (arrival === 'connected')
    return html`<p class="notice good" role="status">Connected. The tokens are stored, sealed.</p>`;
  if (arrival === 'denied') {
    return html`<p class="notice" role="status">
      Not connected: access was declined in Notion. Nothing has changed here.
    </p>`;
  }
  return null;
}

function nothingYet(): Html {
  return html`<div class="card empty">
    <p><strong>No workspace yet.</strong></p>
    <p>Press <em>Connect a Notion workspace</em>: Notion asks what to share, then you are back here.</p>
  </div>`;
}

function thingsToTry(): Html {
  return html`<section class="steps" aria-labelledby="steps-title">
    <h2 id="steps-title">Things to try</h2>
    <ol>
      <li>Connect a workspace, then ask <em>Who am I</em>.</li>
      <li>Make Notion forget the access token, and ask again: one refresh, same answer.</li>
      <li>Forget it once more, and send <em>100 calls at once</em>: still one refresh.</li>
      <li>Revoke in Notion: the next call learns it, and no call after that bothers Notion.</li>
      <li>Reconnect: the authorization keeps its id.</li>
    </ol>
  </section>`;
}
