import {
  NotionAuthorizationNotFoundError,
  NotionCallbackRefusedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionOwnerRequiredError,
  NotionStoreUnavailableError,
  type NotionAuthError,
} from '../domain/errors.js';

export interface ConnectAnswer {
  /** HTTP status. Notion's own 401 never becomes ours. */
  readonly status: number;
  readonly title: string;
  readonly paragraphs: readonly [string, ...string[]];
}

/** One answer for every callback that cannot be believed: which check failed is for the log, not for the browser. */
const REFUSED: ConnectAnswer = {
  status: 400,
  title: 'Notion was not connected',
  paragraphs: [
    'This visit could not be matched with a connect that this browser has open. That happens when access was cancelled in Notion, when the page was opened twice, or when too much time went by.',
    'Nothing was changed. Start again from here, in this browser.',
  ],
};

const WRONG_OWNER: ConnectAnswer = {
  status: 403,
  title: 'You are signed in as somebody else',
  paragraphs: [
    'This connect was started by another account of this application than the one you are signed in with now.',
    'Nothing was changed. Sign in with the account that shall use Notion, then start again.',
  ],
};

const OTHER_GRANT: ConnectAnswer = {
  status: 409,
  title: 'That was a different workspace',
  paragraphs: [
    'You wanted to reconnect one Notion workspace, and another workspace or another Notion account came back.',
    'Nothing was changed. Start again and choose the workspace and account from before.',
  ],
};

const CODE_DEAD: ConnectAnswer = {
  status: 400,
  title: 'Notion did not accept this any more',
  paragraphs: [
    'Notion allows each approval to be used once and only for a short time, and this one was no longer good.',
    'Nothing was changed. Start again; it takes a moment.',
  ],
};

const UPSTREAM: ConnectAnswer = {
  status: 502,
  title: 'Notion could not finish the connection',
  paragraphs: [
    'You did nothing wrong: Notion did not give a usable answer to this application.',
    'Nothing was changed. Start again in a few minutes. If it keeps happening, tell the people who run this application.',
  ],
};

const UNAVAILABLE: ConnectAnswer = {
  status: 503,
  title: 'This cannot be saved right now',
  paragraphs: [
    'This application could not reach the place where it keeps its Notion connections.',
    'No connection was changed. Start again in a minute.',
  ],
};

const OWNER_REQUIRED: ConnectAnswer = {
  status: 401,
  title: 'Sign in first',
  paragraphs: [
    'Notion is connected to your account in this application, and you are not signed in. Sign in, then start again.',
  ],
};

const NOT_FOUND: ConnectAnswer = {
  status: 404,
  title: 'There is no such connection',
  paragraphs: ['Your account has no Notion connection of this name. You can connect a workspace anew.'],
};

const UNEXPECTED: ConnectAnswer = {
  status: 500,
  title: 'Something went wrong',
  paragraphs: ['This application could not finish what you asked for. Start again in a few minutes.'],
};

/** What an error means to the person in front of the browser. */
export function connectAnswerFor(error: NotionAuthError): ConnectAnswer {
  if (error instanceof NotionCallbackRefusedError)
    return error.refusal === 'wrong_owner' ? WRONG_OWNER : REFUSED;
  if (error instanceof NotionOtherGrantError) return OTHER_GRANT;
  if (error instanceof NotionConnectFailedError) return error.kind === 'dead' ? CODE_DEAD : UPSTREAM;
  if (error instanceof NotionStoreUnavailableError) return UNAVAILABLE;
  if (error instanceof NotionOwnerRequiredError) return OWNER_REQUIRED;
  if (error instanceof NotionAuthorizationNotFoundError) return NOT_FOUND;
  return UNEXPECTED;
}
