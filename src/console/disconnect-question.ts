import type { AuthorizationContent } from './authorization.content.js';
import { html, type Html } from './html.js';
import { plural } from './words.js';

/** What a disconnect would do, before it is done. */
export function disconnectQuestion(
  content: AuthorizationContent,
  whose: { readonly owner: string } | 'all',
): Html | null {
  const { links, authorization, formToken, owners } = content;
  const leaving = whose === 'all' ? owners : owners.filter((owner) => owner === whose.owner);
  if (leaving.length === 0) return null;
  const isLast = leaving.length === owners.length;
  return html`<section class="card question" aria-labelledby="question">
    <h2 id="question">
      Disconnect ${whose === 'all' ? plural(owners.length, 'owner') : html`<code>${whose.owner}</code>`}?
    </h2>
    <p>
      ${
        isLast
          ? 'Nobody uses this authorization then: its tokens are erased here, and Notion is told to revoke them. The person has to connect again.'
          : `The other ${plural(owners.length - leaving.length, 'owner')} still use it, so the tokens live on and Notion is not told.`
      }
    </p>
    <div class="choices">
      <form method="post" action="${links.action(authorization.id, 'disconnect')}">
        <input type="hidden" name="formToken" value="${formToken}" />
        <input type="hidden" name="confirmed" value="yes" />
        ${whose === 'all' ? null : html`<input type="hidden" name="owner" value="${whose.owner}" />`}
        <button type="submit" class="button danger-fill">Yes, disconnect</button>
      </form>
      <a class="button" href="${links.authorization(authorization.id)}">No, keep it</a>
    </div>
  </section>`;
}
