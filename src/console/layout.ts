import type { ConsoleLinks } from './console-links.js';
import { STYLE } from './console.style.js';
import { html, Html } from './html.js';

/** Bound by its hash: not a blank may be added to it. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** Drawn in the page itself, because nothing is fetched for it. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%2323211e'/%3E%3Cg fill='none' stroke='white' stroke-width='3' stroke-linecap='round'%3E%3Cpath d='M7 21l6-7 5 4 7-9'/%3E%3C/g%3E%3C/svg%3E";

export interface LayoutContent {
  readonly title: string;
  readonly links: ConsoleLinks;
  /** Which of the two places in the navigation the page is. */
  readonly at: 'overview' | 'authorizations' | null;
  readonly body: Html;
}

export function layout({ title, links, at, body }: LayoutContent): Html {
  const place = (name: 'overview' | 'authorizations', label: string, href: string) =>
    at === name
      ? html`<li><a href="${href}" aria-current="page">${label}</a></li>`
      : html`<li><a href="${href}">${label}</a></li>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title} · Notion console</title>
        <link rel="icon" href="${new Html(ICON)}" />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <p class="brand">Notion console</p>
          <nav aria-label="Console">
            <ul>
              ${place('overview', 'Overview', links.overview())}
              ${place('authorizations', 'Authorizations', links.list())}
            </ul>
          </nav>
        </header>
        <main id="content" tabindex="-1">${body}</main>
        <footer><p>All owners of this application. Times are UTC.</p></footer>
      </body>
    </html>`;
}
