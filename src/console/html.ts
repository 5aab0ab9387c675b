import escapeHtml from 'escape-html';

/** Markup that is safe to send: everything in it was escaped or written by us. */
export class Html {
  constructor(readonly markup: string) {}
}

export type HtmlPart = Html | string | number | null | readonly HtmlPart[];

/** Builds markup; every value is escaped unless it is markup itself. Lists are joined, `null` is nothing. */
export function html(texts: TemplateStringsArray, ...values: HtmlPart[]): Html {
  return new Html(texts.map((text, index) => text + render(values[index] ?? null)).join(''));
}

function render(value: HtmlPart): string {
  if (value === null) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return value.map(render).join('');
}
