import type { Diagnosis } from '../diagnosis/diagnosis.js';
import { html, type Html, type HtmlPart } from './html.js';

/** What the runbook says of an error: whose matter it is, what it means, and what to do. */
export function meaning({ family, summary, causes, fix, needsPerson, runbook }: Diagnosis): Html {
  return html`<div class="meaning">
    <p>
      <span class="tag">${family}</span>
      ${needsPerson ? html`<span class="tag person">needs the person</span>` : null} ${prose(summary)}
    </p>
    <div class="advice">
      <div>
        <p class="label">Likely because</p>
        <ul>
          ${causes.map((cause) => html`<li>${prose(cause)}</li>`)}
        </ul>
      </div>
      <div>
        <p class="label">What to do</p>
        <ol>
          ${fix.map((step) => html`<li>${prose(step)}</li>`)}
        </ol>
      </div>
    </div>
    <p class="quiet">More: <code>${runbook}</code></p>
  </div>`;
}

/** The texts write code between backticks. */
function prose(text: string): readonly HtmlPart[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
}
