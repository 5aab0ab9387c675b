import { isNotionClientError } from '@notionhq/client';
import {
  NotionAuthError,
  NotionReconnectRequiredError,
  NotionRefreshFailedError,
  type NotionAuthErrorCode,
} from 'nestjs-notion-auth';
import { reasonInWords } from '../page/reason.words.js';

export interface Problem {
  readonly headline: string;
  readonly nextStep: string;
  /** True for what nobody foresaw: worth a line in the log. */
  readonly isSurprise: boolean;
}

const TRY_AGAIN = 'Try again in a moment.';
const OUTCOME_UNKNOWN =
  'Notion may have renewed the token, but its response is missing. Wait a minute, then press the same button again: the library first asks Notion what happened, and only then sends the refresh token again.';

/** The codes are the library's stable names for what can go wrong; the texts are this application's. */
const WORDS: Partial<Record<NotionAuthErrorCode, Pick<Problem, 'headline' | 'nextStep'>>> = {
  notion_authorization_not_found: {
    headline: 'This workspace is not connected in this browser.',
    nextStep: 'Connect it again with the button at the top.',
  },
  notion_refresh_busy: { headline: 'A new token is still on its way.', nextStep: TRY_AGAIN },
  notion_refresh_failed: { headline: 'The token could not be renewed just now.', nextStep: TRY_AGAIN },
  notion_store_unavailable: { headline: 'The database does not answer.', nextStep: TRY_AGAIN },
  notion_key_error: {
    headline: 'The stored token cannot be opened with the configured encryption keys.',
    nextStep: 'Put back the key it was sealed with, or connect the workspace again.',
  },
};

/** What to tell the person. Never a stack, and of foreign errors only what Notion itself said. */
export function explainProblem(error: unknown): Problem {
  if (error instanceof NotionReconnectRequiredError) {
    return {
      headline: reasonInWords(error.reason),
      nextStep: 'Press Reconnect. The authorization keeps its id.',
      isSurprise: false,
    };
  }
  if (error instanceof NotionRefreshFailedError && error.kind === 'unknown') {
    return {
      headline: 'The outcome of the refresh is not known yet.',
      nextStep: OUTCOME_UNKNOWN,
      isSurprise: false,
    };
  }
  if (error instanceof NotionAuthError) {
    return { headline: error.message, nextStep: TRY_AGAIN, ...WORDS[error.code], isSurprise: false };
  }
  if (isNotionClientError(error)) {
    return { headline: `Notion answered ${error.code}.`, nextStep: TRY_AGAIN, isSurprise: false };
  }
  return {
    headline: 'Something unexpected happened.',
    nextStep: 'The terminal that runs the quickstart says more.',
    isSurprise: true,
  };
}
