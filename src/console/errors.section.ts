import type { TimeSpan } from '../domain/time-grid.js';
import { CANVAS, stackedBars } from './chart-geometry.js';
import type { ErrorRow, ErrorStage } from './error-rows.js';
import { html, type Html } from './html.js';
import { meaning } from './meaning.js';
import { timeLabel } from './time-labels.js';
import { count, plural, SPAN_WORDS } from './words.js';

const STAGE_WORDS: Readonly<Record<ErrorStage, string>> = {
  refresh: 'Refreshing',
  exchange: 'Connecting',
  api: 'Calls to Notion',
  webhook: 'Webhooks',
};

export interface ErrorsContent {
  readonly span: TimeSpan;
  readonly times: readonly Date[];
  readonly rows: Readonly<Record<ErrorStage, readonly ErrorRow[]>>;
  /** When this process began to count what is in no table. */
  readonly since: Date;
}

/** By stage, the code, when, how often, and what to do about it. */
export function errorsSection(content: ErrorsContent): Html {
  return html`<section aria-labelledby="errors">
    <h2 id="errors">Errors by stage</h2>
    <p class="quiet">In the last ${SPAN_WORDS[content.span]}. Each code is drawn to a scale of its own.</p>
    <div class="stages">
      ${(Object.keys(STAGE_WORDS) as ErrorStage[]).map((stage) => stageCard(stage, content))}
    </div>
  </section>`;
}

function stageCard(stage: ErrorStage, content: ErrorsContent): Html {
  const { rows, span } = content;
  return html`<section class="card stage" aria-labelledby="stage-${stage}">
    <h3 id="stage-${stage}">${STAGE_WORDS[stage]}</h3>
    <p class="quiet">${scopeOf(stage, content)}</p>
    ${
      rows[stage].length === 0
        ? html`<p class="none">No errors in the last ${SPAN_WORDS[span]}.</p>`
        : html`<ul class="errors">
            ${rows[stage].map((row) => errorRow(row, content))}
          </ul>`
    }
  </section>`;
}

function scopeOf(stage: ErrorStage, { since }: ErrorsContent): string {
  if (stage === 'refresh') return 'All replicas, from the attempt journal';
  return `This replica only, since it started ${since.toISOString().slice(0, 16).replace('T', ' ')}`;
}

/** Each code has a scale of its own: when it came is seen, and how often is written beside it. */
function errorRow(
  { code, counts, total, meaning: known, stage }: ErrorRow,
  { span, times }: ErrorsContent,
): Html {
  const title = `${code}: ${plural(total, 'error')} in the last ${SPAN_WORDS[span]}`;
  const bars = stackedBars(
    counts.map((one) => [one]),
    Math.max(...counts),
  ).flat();
  return html`<li data-error="${`${stage} ${code}`}">
    <div class="error-line">
      <code>${code}</code>
      <svg
        role="img"
        aria-label="${title}"
        viewBox="0 0 ${CANVAS.width} ${CANVAS.height}"
        preserveAspectRatio="none"
      >
        <line class="grid" x1="0" x2="${CANVAS.width}" y1="${CANVAS.height}" y2="${CANVAS.height}" />
        ${bars.map(({ x, y, width, height }) =>
          height === 0
            ? null
            : html`<rect class="failed" x="${x}" y="${y}" width="${width}" height="${height}" />`,
        )}
      </svg>
      <strong class="number">${count(total)}</strong>
    </div>
    <div class="more">
      ${
        known === null
          ? null
          : html`<details>
              <summary>What it means<span class="hidden">: ${code}</span></summary>
              ${meaning(known)}
            </details>`
      }
      <details>
        <summary>Figures<span class="hidden"> of ${code}</span></summary>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col" class="number">Errors</th>
            </tr>
          </thead>
          <tbody>
            ${counts
              .map((one, index) => ({ one, at: times[index] }))
              .filter(({ one }) => one > 0)
              .reverse()
              .map(
                ({ one, at }) =>
                  html`<tr>
                    <th scope="row">${at === undefined ? '' : timeLabel(span, at)}</th>
                    <td class="number">${count(one)}</td>
                  </tr>`,
              )}
          </tbody>
        </table>
      </details>
    </div>
  </li>`;
}
