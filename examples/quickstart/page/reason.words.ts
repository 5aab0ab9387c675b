import type { NotionReconnectRequiredError } from 'nestjs-notion-auth';

const WORDS: Readonly<Record<NotionReconnectRequiredError['reason'], string>> = {
  revoked_or_expired: 'Notion no longer accepts this authorization. It was revoked there, or it expired.',
  lost_rotation: 'Notion renewed the token, and its answer never arrived here.',
  no_refresh_token: 'The access token is refused, and Notion gave no token to renew it with.',
  disconnected: 'This workspace was disconnected here.',
};

/** Why only the person can help, in a sentence. */
export function reasonInWords(reason: NotionReconnectRequiredError['reason']): string {
  return WORDS[reason];
}
