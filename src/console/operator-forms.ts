import type { AuthorizationContent } from './authorization.content.js';
import { html, type Html } from './html.js';
import { plural } from './words.js';

const MOST_OWNERS_SHOWN = 50;

/** What an operator can do with it. */
export function actions({ links, authorization, formToken, owners: linked }: AuthorizationContent): Html {
  const { id } = authorization;
  const button = (action: string, label: string, kind: string, hint: string) =>
    html`<form method="post" action="${links.action(id, action)}">
      <input type="hidden" name="formToken" value="${formToken}" />
      <button type="submit" class="button ${kind}">${label}</button>
      <p class="quiet">${hint}</p>
    </form>`;
  return html`<section class="card actions" aria-labelledby="actions">
    <h2 id="actions">Actions</h2>
    ${button('refresh', 'Refresh now', 'primary', 'Spends the refresh token once, whoever else asks at the same time.')}
    ${button('reconnect-link', 'Reconnect link', '', 'Shows an address for the person; it keeps this authorization.')}
    ${
      linked.length === 0
        ? null
        : button(
            'disconnect',
            'Disconnect…',
            'danger',
            `Ends the use of ${plural(linked.length, 'owner')}. Asks first.`,
          )
    }
  </section>`;
}

/** Who may use it; each can be disconnected alone. */
export function owners({ links, authorization, owners: linked, formToken }: AuthorizationContent): Html {
  const shown = linked.slice(0, MOST_OWNERS_SHOWN);
  return html`<section class="card" aria-labelledby="owners">
    <h2 id="owners">Owners</h2>
    ${linked.length === 0 ? html`<p class="none">Nobody uses it any more.</p>` : null}
    <ul class="owners">
      ${shown.map(
        (owner) =>
          html`<li>
            <code>${owner}</code>
            ${
              linked.length < 2
                ? null
                : html`<form method="post" action="${links.action(authorization.id, 'disconnect')}">
                    <input type="hidden" name="formToken" value="${formToken}" />
                    <input type="hidden" name="owner" value="${owner}" />
                    <button type="submit" class="button danger small">
                      Disconnect<span class="hidden"> ${owner}</span>…
                    </button>
                  </form>`
            }
          </li>`,
      )}
    </ul>
    ${linked.length > shown.length ? html`<p class="quiet">and ${linked.length - shown.length} more</p>` : null}
  </section>`;
}
