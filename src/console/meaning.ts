import type { Diagnosis } from '../diagnosis/diagnosis.js';
import { html, type Html } from './html.js';

/** What the runbook says of an error: whose matter it is, what it means, and what to do. */
export function meaning({ family, summary, causes, fix, needsPerson, runbook }: Diagnosis): Html {
  return html`<div class="meaning">
    <p><span class="tag">${family}</span> ${summary}${needsPerson ? ' Only the person can help.' : ''}</p>
    <div class="advice">
      <div>
        <p class="label">Likely because</p>
        <ul>
          ${causes.map((cause) => html`<li>${cause}</li>`)}
        </ul>
      </div>
      <div>
        <p class="label">What to do</p>
        <ol>
          ${fix.map((step) => html`<li>${step}</li>`)}
        </ol>
      </div>
    </div>
    <p class="quiet">More: <code>${runbook}</code></p>
  </div>`;
}
