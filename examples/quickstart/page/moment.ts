import { html, type Html } from './html.js';

const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** An instant as people read it: how long ago, with the exact UTC time beside it. */
export function moment(at: Date | null, now: Date): Html {
  if (at === null) return html`<span class="quiet">never</span>`;
  const exact = at.toISOString();
  return html`<time datetime="${exact}" title="${exact}">${ago(now.getTime() - at.getTime())}</time>
    <span class="quiet">${exact.slice(11, 19)} UTC</span>`;
}

function ago(elapsedMs: number): string {
  const step = STEPS.find(([, lengthMs]) => elapsedMs >= lengthMs);
  return step === undefined ? 'just now' : RELATIVE.format(-Math.floor(elapsedMs / step[1]), step[0]);
}
