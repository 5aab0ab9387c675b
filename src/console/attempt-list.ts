import type { JournaledAttempt } from '../domain/authorization-directory.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { shownCode } from './error-rows.js';
import { html, type Html } from './html.js';
import { meaning } from './meaning.js';
import { moment } from './moment.js';
import { verdictOn } from './attempt-figures.js';
import { duration, OUTCOME_WORDS } from './words.js';

/** Newest first, the meaning beside each failure; that of the newest attempt is open. */
export function attemptList({
  attempts,
  now,
}: {
  readonly attempts: readonly JournaledAttempt[];
  readonly now: Date;
}): Html {
  if (attempts.length === 0) return html`<p class="none">It has never been refreshed.</p>`;
  return html`<ol class="attempts">
    ${attempts.map((attempt, index) => item(attempt, index === 0, now))}
  </ol>`;
}

function item(attempt: JournaledAttempt, isNewest: boolean, now: Date): Html {
  const { id, outcome, startedAt, trigger, upstreamMs, status, code, requestId } = attempt;
  const verdict = outcome === null ? 'under-way' : verdictOn(outcome);
  return html`<li data-attempt="${id}">
    <p class="attempt-line">
      <strong class="outcome ${verdict}">${outcome === null ? 'Under way' : OUTCOME_WORDS[outcome]}</strong>
      <span>${moment(startedAt, now)}</span>
      <span class="quiet">${trigger} · ${duration(upstreamMs)}</span>
    </p>
    ${
      status === null && code === null
        ? null
        : html`<p class="attempt-facts">
            ${status === null ? null : html`<span>status <code>${status}</code></span>`}
            ${code === null ? null : html`<span>code <code>${shownCode(code)}</code></span>`}
            ${isRequestId(requestId) ? html`<span>request <code>${requestId}</code></span>` : null}
          </p>`
    }
    ${outcome === null || outcome === 'success' ? null : explanation(attempt, isNewest)}
  </li>`;
}

function explanation({ status, code }: JournaledAttempt, isOpen: boolean): Html {
  const summary = html`<summary>What it means</summary>`;
  const text = meaning(diagnose({ status, code }, { stage: 'refresh' }));
  return isOpen
    ? html`<details open>${summary} ${text}</details>`
    : html`<details>${summary} ${text}</details>`;
}

/** A header of whoever answered: only what looks like an id is shown. */
function isRequestId(requestId: string | null): requestId is string {
  return requestId !== null && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(requestId);
}
