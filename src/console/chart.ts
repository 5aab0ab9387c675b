import { CANVAS } from './chart-geometry.js';
import { html, type Html, type HtmlPart } from './html.js';

export interface LegendEntry {
  /** Also the class of what is drawn. */
  readonly series: string;
  readonly label: string;
}

export interface ChartContent {
  readonly id: string;
  readonly title: string;
  /** What a reader takes away, in a sentence; also the accessible name of the drawing. */
  readonly summary: string;
  readonly legend: readonly LegendEntry[];
  readonly drawing: Html;
  /** From the top down. */
  readonly yLabels: readonly string[];
  readonly xLabels: readonly string[];
  /** The same in figures. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly HtmlPart[])[];
}

/** A drawing, what it says, and the figures behind it. */
export function chart(content: ChartContent): Html {
  const { id, title, summary, legend, drawing, yLabels, xLabels } = content;
  return html`<figure class="card chart" aria-labelledby="${id}">
    <figcaption>
      <h3 id="${id}">${title}</h3>
      <p>${summary}</p>
    </figcaption>
    <ul class="legend">
      ${legend.map(({ series, label }) => html`<li class="${series}">${label}</li>`)}
    </ul>
    <div class="plot">
      ${axis('y', yLabels)}
      <svg
        role="img"
        aria-label="${`${title}. ${summary}`}"
        viewBox="0 0 ${CANVAS.width} ${CANVAS.height}"
        preserveAspectRatio="none"
      >
        ${gridLines(yLabels.length)}${drawing}
      </svg>
      ${axis('x', xLabels)}
    </div>
    ${figures(content)}
  </figure>`;
}

function axis(name: 'x' | 'y', labels: readonly string[]): Html {
  return html`<div class="${name}" aria-hidden="true">
    ${labels.map((label) => html`<span>${label}</span>`)}
  </div>`;
}

function gridLines(howMany: number): readonly Html[] {
  return Array.from({ length: howMany }, (_, index) => {
    const y = (index / Math.max(1, howMany - 1)) * CANVAS.height;
    return html`<line class="grid" x1="0" x2="${CANVAS.width}" y1="${y}" y2="${y}" />`;
  });
}

function figures({ title, columns, rows }: ChartContent): Html {
  const [first, ...others] = columns;
  return html`<details>
    <summary>Figures<span class="hidden"> of ${title}</span></summary>
    <table>
      <thead>
        <tr>
          <th scope="col">${first ?? ''}</th>
          ${others.map((column) => html`<th scope="col" class="number">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([head, ...cells]) =>
            html`<tr>
              <th scope="row">${head ?? ''}</th>
              ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}
