import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/duration.js';
import { html, type Html } from './html.js';

const STEPS = [
  ['day', DAY_MS],
  ['hour', HOUR_MS],
  ['minute', MINUTE_MS],
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** An instant as people read it: how long ago, with the exact time in UTC. */
export function moment(at: Date | null, now: Date): Html {
  if (at === null) return html`<span class="quiet">never</span>`;
  const exact = at.toISOString();
  return html`<time datetime="${exact}" title="${exact}">${ago(now.getTime() - at.getTime())}</time>
    <span class="quiet">${exact.slice(0, 10)} ${exact.slice(11, 19)} UTC</span>`;
}

/** As {@link moment}, where there is little room: the exact time is in the title. */
export function shortMoment(at: Date | null, now: Date): Html {
  if (at === null) return html`<span class="quiet">never</span>`;
  const exact = at.toISOString();
  return html`<time datetime="${exact}" title="${exact}">${ago(now.getTime() - at.getTime())}</time>`;
}

function ago(elapsedMs: number): string {
  const step = STEPS.find(([, lengthMs]) => elapsedMs >= lengthMs);
  return step === undefined ? 'just now' : RELATIVE.format(-Math.floor(elapsedMs / step[1]), step[0]);
}
