import type { NotionAuthErrorCode } from '../domain/errors.js';
import type { RefreshOutcome } from '../domain/refresh-outcome.js';
import type { DisconnectOutcome } from '../connect/notion-connect.service.js';
import { html, type Html } from './html.js';
import type { Note } from './signed-notes.js';
import { plural } from './words.js';

interface Words {
  readonly text: string;
  readonly isGood: boolean;
}

const REFRESH: Readonly<Record<RefreshOutcome['kind'], Words>> = {
  renewed: { isGood: true, text: 'Refreshed: a new pair is stored.' },
  followed: { isGood: true, text: 'Somebody else had just refreshed it; their pair is stored.' },
  needs_reconnect: { isGood: false, text: 'Not refreshed: only the person can help, by connecting again.' },
  revoked: { isGood: false, text: 'Not refreshed: it is disconnected.' },
  busy: { isGood: false, text: 'A refresh is under way and takes long. Load the page again in a moment.' },
  postponed: { isGood: false, text: 'Not refreshed: refreshing is held back for now. Nothing was sent.' },
  not_sent: { isGood: false, text: 'Not refreshed: Notion was not reached. Nothing was spent.' },
  not_processed: { isGood: false, text: 'Not refreshed: Notion did not process it. Nothing was spent.' },
  configuration: {
    isGood: false,
    text: 'Not refreshed: Notion refuses the credentials of this application.',
  },
  unknown: {
    isGood: false,
    text: 'Not known: no answer came that can be believed. It is resolved before anything is spent again.',
  },
};

const DISCONNECT: Readonly<Record<DisconnectOutcome, string>> = {
  revoked: 'The tokens are erased here, and Notion confirmed that they are dead.',
  revoke_pending: 'The tokens are erased here. Notion has not confirmed yet and is asked again.',
  local_only: 'The tokens are erased here; there was nothing to revoke at Notion.',
  unlinked: 'Other owners still use it, so the tokens live on.',
};

const FAILURE: Readonly<Partial<Record<NotionAuthErrorCode, string>>> = {
  notion_authorization_not_found: 'Nothing was done: there is no such authorization or owner any more.',
  notion_store_unavailable: 'The database does not answer. Try again soon.',
  notion_key_error: 'Its tokens cannot be opened with the configured keys. Nothing was changed.',
};

/** What the last button came to. */
export function noteNotice(note: Note): Html | null {
  const { text, isGood } = wordsOf(note);
  return html`<p
    class="notice ${isGood ? 'good' : 'bad'}"
    role="status"
    data-did="${note.action}"
    data-outcome="${note.outcome}"
  >
    ${text}
  </p>`;
}

function wordsOf({ action, outcome, owners }: Note): Words {
  if (action === 'refresh' && Object.hasOwn(REFRESH, outcome))
    return REFRESH[outcome as keyof typeof REFRESH];
  if (action === 'disconnect' && Object.hasOwn(DISCONNECT, outcome)) {
    const left = `${plural(owners, 'owner')} disconnected.`;
    return { isGood: true, text: `${left} ${DISCONNECT[outcome as keyof typeof DISCONNECT]}` };
  }
  if (outcome === 'shown')
    return { isGood: true, text: 'The link is below. It was written to the log that you asked for it.' };
  const before = owners === 0 ? '' : `${plural(owners, 'owner')} disconnected, then it failed. `;
  const known = Object.hasOwn(FAILURE, outcome) ? FAILURE[outcome as NotionAuthErrorCode] : undefined;
  return { isGood: false, text: before + (known ?? `It failed: ${outcome}.`) };
}
