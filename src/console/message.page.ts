import type { ConsoleLinks } from './console-links.js';
import { html, type Html } from './html.js';
import { layout } from './layout.js';

export interface MessageContent {
  readonly links: ConsoleLinks;
  readonly title: string;
  readonly text: string;
}

export function messagePage({ links, title, text }: MessageContent): Html {
  return layout({
    title,
    links,
    at: null,
    body: html`<div class="card message">
      <h1>${title}</h1>
      <p>${text}</p>
      <a class="button primary" href="${links.list()}">All authorizations</a>
    </div>`,
  });
}
