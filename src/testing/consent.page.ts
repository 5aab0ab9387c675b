import escapeHtml from 'escape-html';
import { CONSENT_STYLE, workspaceStyle } from './consent.style.js';
import type { NotionPage, NotionPerson, NotionWorkspace } from './sample-workspaces.js';

export interface ConsentPageContent {
  readonly connectionName: string;
  readonly workspaces: readonly NotionWorkspace[];
  readonly people: readonly NotionPerson[];
  /** Hidden fields that the decision needs. */
  readonly carried: readonly { readonly name: string; readonly value: string }[];
  /** Lets the page's own style through its content security policy. */
  readonly nonce: string;
}

/** The consent page: works without scripts, and shows the pages of the workspace that is chosen. */
export function consentPage(content: ConsentPageContent): string {
  const name = escapeHtml(content.connectionName);
  return document(
    `Connect ${name} with Notion`,
    content.nonce,
    CONSENT_STYLE + workspaceStyle(content.workspaces.length),
    `<form method="post" action="/v1/oauth/authorize">
  ${content.carried.map(hiddenField).join('\n  ')}
  <p class="brand" aria-hidden="true"><span>${initial(content.connectionName)}</span><i>⇄</i><span>N</span></p>
  <h1><strong>${name}</strong> wants access to Notion</h1>
  <p class="lead">It will be able to read and change the pages you choose below.</p>
  ${personField(content.people)}
  <fieldset>
    <legend>Workspace</legend>
    ${content.workspaces.map(workspaceChoice).join('\n    ')}
  </fieldset>
  ${content.workspaces.map(pagePicker).join('\n  ')}
  <div class="actions">
    <button type="submit" name="decision" value="cancel">Cancel</button>
    <button type="submit" name="decision" value="allow" class="primary">Allow access</button>
  </div>
</form>`,
  );
}

/** What Notion shows instead of calling back. */
export function refusalPage(problem: string, nonce: string): string {
  return document(
    'Notion cannot continue',
    nonce,
    CONSENT_STYLE,
    `<section class="refusal">
  <h1>${escapeHtml(problem)}</h1>
  <p class="lead">The application asked for something that is not registered with its connection. Nothing was
  granted, and you can close this page.</p>
</section>`,
  );
}

/** The frame of every page that the simulator shows. */
export function document(title: string, nonce: string, style: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header><p>Notion <span>simulator</span></p></header>
<main>
${body}
</main>
<footer><p>This page stands in for Notion during development. No real workspace is involved.</p></footer>
</body>
</html>`;
}

function hiddenField({ name, value }: { readonly name: string; readonly value: string }): string {
  return `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`;
}

function personField(people: readonly NotionPerson[]): string {
  const options = people.map(
    ({ id, name, email }) => `<option value="${escapeHtml(id)}">${escapeHtml(`${name} (${email})`)}</option>`,
  );
  return `<div class="person">
    <label for="person">Signed in as</label>
    <select id="person" name="person">${options.join('')}</select>
  </div>`;
}

function workspaceChoice(workspace: NotionWorkspace, index: number): string {
  const checked = index === 0 ? ' checked' : '';
  return `<label class="choice"><input type="radio" name="workspace" value="${escapeHtml(workspace.id)}" id="workspace-${index}"${checked}>
      ${tileOf(workspace.name)} <span>${escapeHtml(workspace.name)}</span></label>`;
}

function pagePicker(workspace: NotionWorkspace, index: number): string {
  const pages = workspace.pages.map(pageChoice).join('\n    ');
  return `<fieldset class="pages" data-workspace="${index}">
    <legend>Pages in ${escapeHtml(workspace.name)}</legend>
    ${pages === '' ? '<p class="lead">This workspace has no pages.</p>' : pages}
  </fieldset>`;
}

function pageChoice(page: NotionPage): string {
  return `<label class="choice"><input type="checkbox" name="page" value="${escapeHtml(page.id)}" checked>
      ${tileOf(page.title)} <span>${escapeHtml(page.title)}</span></label>`;
}

/** The initial, not the icon: an image would be third-party content, and emoji need a font that CI lacks. */
function tileOf(name: string): string {
  return `<span class="tile" aria-hidden="true">${initial(name)}</span>`;
}

function initial(name: string): string {
  return escapeHtml(name.slice(0, 1).toUpperCase());
}
