import { html, Html } from './html.js';
import { SCRIPT } from './page.script.js';
import { STYLE } from './page.style.js';

/** A key on a page, drawn small; in the page itself, because nothing is fetched for it. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%232b5fd0'/%3E%3Cg fill='none' stroke='white' stroke-width='3' stroke-linecap='round'%3E%3Ccircle cx='12' cy='16' r='4.5'/%3E%3Cpath d='M16.5 16H25v4.5M21 16v3.5'/%3E%3C/g%3E%3C/svg%3E";

export interface LayoutContent {
  readonly title: string;
  readonly nonce: string;
  /** Which Notion answers, for the header. */
  readonly notionName: string;
  readonly body: Html;
}

export function layout({ title, nonce, notionName, body }: LayoutContent): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="icon" href="${ICON}" />
        <style nonce="${nonce}">
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <p class="brand"><a href="/">nestjs-notion-auth</a> <span class="quiet">quickstart</span></p>
          <p class="chip">${notionName}</p>
        </header>
        <main id="content">${body}</main>
        <footer>
          <nav aria-label="For operators">
            <ul>
              <li><a href="/console">Console</a></li>
              <li><a href="/health/live">Liveness</a></li>
              <li><a href="/health/ready">Readiness</a></li>
              <li><a href="/health/notion">Refresh success rate</a></li>
            </ul>
          </nav>
        </footer>
        <script nonce="${nonce}">
          ${new Html(SCRIPT)};
        </script>
      </body>
    </html>`;
}
