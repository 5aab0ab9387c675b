import { html, type Html } from './html.js';
import { layout } from './layout.js';

/** A page with one thing to say, and the way back. */
export function messagePage(content: {
  nonce: string;
  notionName: string;
  title: string;
  text: string;
}): Html {
  const { nonce, notionName, title, text } = content;
  return layout({
    title: `${title} · nestjs-notion-auth quickstart`,
    nonce,
    notionName,
    body: html`<div class="card message">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a class="button primary" href="/">Back to the workspaces</a></p>
    </div>`,
  });
}
