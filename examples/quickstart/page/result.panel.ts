import type { ActionResult } from '../actions/action.js';
import type { NotionFigures } from '../notion-stand-in.js';
import { html, type Html } from './html.js';
import { moment } from './moment.js';

/** What the last button did: in words, and in figures of what Notion saw. */
export function resultPanel(result: ActionResult | null, now: Date): Html {
  if (result === null) {
    return html`<h2 id="result-title">Result</h2>
      <p class="quiet">What a button did, and what Notion saw of it, is shown here.</p>`;
  }
  const {
    number,
    succeeded,
    title,
    workspaceName,
    headline,
    details = [],
    nextStep,
    figures,
    tookMs,
    at,
  } = result;
  return html`<div data-result="${number}" data-outcome="${succeeded ? 'succeeded' : 'failed'}">
    <h2 id="result-title">${title}</h2>
    <p class="quiet">${workspaceName === null ? null : html`${workspaceName} · `}${moment(at, now)}</p>
    <p class="headline ${succeeded ? 'good' : 'bad'}" data-part="headline">${headline}</p>
    ${
      details.length === 0
        ? null
        : html`<ul>
            ${details.map((detail) => html`<li>${detail}</li>`)}
          </ul>`
    }
    ${nextStep === undefined ? null : html`<p data-part="next-step"><strong>Next:</strong> ${nextStep}</p>`}
    ${figures === null ? null : figureRow(figures)}
    <p class="quiet">Took ${Math.round(tookMs)} ms.</p>
  </div>`;
}

function figureRow({ calls, refusedWith401, refreshes }: NotionFigures): Html {
  const figure = (name: string, value: number, label: string) =>
    html`<div>
      <dt>${label}</dt>
      <dd data-figure="${name}">${value}</dd>
    </div>`;
  return html`<dl class="figures" aria-label="What Notion saw">
    ${figure('calls', calls, 'calls reached Notion')} ${figure('refused', refusedWith401, 'refused with 401')}
    ${figure('refreshes', refreshes, 'refreshes sent')}
  </dl>`;
}
