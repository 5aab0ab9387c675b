import escapeHtml from 'escape-html';
import { document } from './consent.page.js';
import { CONSENT_STYLE } from './consent.style.js';

export interface ListedGrant {
  readonly botId: string;
  readonly workspaceName: string;
  readonly personName: string;
  readonly isRevoked: boolean;
  readonly hasLiveAccessToken: boolean;
}

export interface IndexPageContent {
  readonly connectionName: string;
  /** `NAME=value`, as the application's environment takes them. */
  readonly variables: readonly string[];
  /** Where the application's own connect route is taken to be. */
  readonly connectUrl: string;
  readonly grants: readonly ListedGrant[];
  readonly nonce: string;
}

const INDEX_STYLE = `
main { max-width: 60rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.5rem; margin-bottom: 1rem; }
section h2 { margin: 0 0 .375rem; font-size: 1.05rem; }
section p { margin: 0 0 .75rem; color: var(--soft); }
.intro { text-align: center; margin: 0 0 1.5rem; }
a { color: var(--accent); }
pre { margin: 0; padding: .75rem; overflow-x: auto; background: var(--ground); border-radius: 8px; font-size: .85rem; user-select: all; }
code { font-size: .85rem; overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; text-align: left; }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-size: .85rem; color: var(--soft); }
td:last-child { padding-right: 0; }
form { display: inline; background: none; border: 0; padding: 0; }
td form { display: flex; gap: .5rem; justify-content: flex-end; }
button { min-height: 2.25rem; padding: 0 .75rem; font-size: .875rem; white-space: nowrap; }
section > form { display: block; margin-top: 1rem; }
`;

/** What the simulator is, what the application needs, and the grants with their buttons. Works without scripts. */
export function indexPage(content: IndexPageContent): string {
  const variables = escapeHtml(content.variables.join('\n'));
  const connectUrl = escapeHtml(content.connectUrl);
  return document(
    'Notion simulator',
    content.nonce,
    CONSENT_STYLE + INDEX_STYLE,
    `<div class="intro">
  <h1>This server stands in for Notion</h1>
  <p class="lead">${escapeHtml(content.connectionName)} talks to it as to Notion's API. It serves this machine only.</p>
</div>
<section>
  <h2>Environment of the application</h2>
  <p>Put these lines into the application's <code>.env</code> and start it.</p>
  <pre>${variables}</pre>
</section>
<section>
  <h2>Grants</h2>
  ${grantsOf(content.grants, connectUrl)}
</section>`,
  );
}

function grantsOf(grants: readonly ListedGrant[], connectUrl: string): string {
  if (grants.length === 0) {
    return `<p>No grants yet. Open <a href="${connectUrl}">${connectUrl}</a> in the application and press
  <em>Allow access</em>.</p>`;
  }
  return `<p>After <em>Expire access token</em> the next call gets a 401 and the application refreshes. After
  <em>Revoke</em> only a reconnect by the user helps. <a href="${connectUrl}">Connect another workspace</a></p>
  <div class="table"><table>
    <thead><tr><th>Workspace</th><th>User</th><th>Bot id</th><th>Access token</th><th></th></tr></thead>
    <tbody>${grants.map(rowOf).join('')}</tbody>
  </table></div>
  <form method="post" action="/"><button name="action" value="expire">Expire every access token</button></form>`;
}

function rowOf(grant: ListedGrant): string {
  const { workspaceName, personName, botId, isRevoked, hasLiveAccessToken } = grant;
  const state = isRevoked ? 'revoked' : hasLiveAccessToken ? 'live' : 'expired';
  const cells = [workspaceName, personName].map((text) => `<td>${escapeHtml(text)}</td>`).join('');
  const buttons = [
    ...(hasLiveAccessToken ? [button('expire', 'Expire access token')] : []),
    ...(isRevoked ? [] : [button('revoke', 'Revoke')]),
  ];
  return `<tr>${cells}<td><code>${escapeHtml(botId)}</code></td><td>${state}</td>
    <td><form method="post" action="/"><input type="hidden" name="bot_id" value="${escapeHtml(botId)}">${buttons.join('')}</form></td></tr>`;
}

function button(action: string, label: string): string {
  return `<button name="action" value="${action}">${label}</button>`;
}
