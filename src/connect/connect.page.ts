import { createHash } from 'node:crypto';
import escapeHtml from 'escape-html';

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #57606a; --paper: #ffffff; --ground: #f4f3f0; --line: #d8d6d0; --accent: #1f5fbf; --on-accent: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #a9adb3; --paper: #232528; --ground: #17181a; --line: #3a3d42; --accent: #8ab4f8; --on-accent: #10213d; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: 100%; max-width: 34rem; padding: clamp(1.5rem, 5vw, 2.5rem); background: var(--paper); border: 1px solid var(--line); border-radius: 1rem; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 1rem; overflow-wrap: break-word; }
nav { margin-top: 1.75rem; }
a { display: inline-block; padding: .7rem 1.25rem; border-radius: .6rem; background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
small { display: block; margin-top: 1.5rem; color: var(--soft); font-size: .875rem; }
`;

/** Nothing may load but this page's own style, and nobody may frame it. */
export const CONNECT_PAGE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE, 'utf8').digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface ConnectPage {
  readonly title: string;
  /** What happened, and what the person does next. */
  readonly paragraphs: readonly string[];
  readonly next: { readonly href: string; readonly label: string };
  /** Stable code for a support request. */
  readonly code: string;
}

export function renderConnectPage({ title, paragraphs, next, code }: ConnectPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')}
<nav aria-label="Next step"><a href="${escapeHtml(next.href)}">${escapeHtml(next.label)}</a></nav>
<small>Code for support: ${escapeHtml(code)}</small>
</main>
</body>
</html>
`;
}
