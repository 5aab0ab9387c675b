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
  title: 'This visit connected nothing',
  paragraphs: [
    'This visit could not be matched with a connect that this browser has open. That happens when access was cancelled in Notion, when the page was opened twice, or when too much time went by.',
    'This visit changed nothing. If you opened the page twice, look in the application first: the first visit may have connected Notion already. Otherwise start again, in this browser.',
  ],
};

/** As `REFUSED`; without a cookie of ours the browser is told what it can know already: which host it is on. */
function noCookie(origin: string): ConnectAnswer {
  return {
    status: 400,
    title: 'Nothing was connected',
    paragraphs: [
      `Notion sent this browser back to ${origin}, and the browser has no cookie of a connection started at this address. That happens when the application was opened at another address or in another browser, when cookies are blocked, or when too much time went by.`,
      `Nothing was changed. Open the application at ${origin} in this browser, allow cookies for it, sign in if it asks you to, and start again there.`,
    ],
  };
}

const WRONG_OWNER: ConnectAnswer = {
  status: 403,
  title: 'You are signed in as somebody else',
  paragraphs: [
    'This connect was started by another account of this application than the one you are signed in with now.',
    'Nothing was changed. Sign in with the account that shall use Notion, then start again.',
  ],
};

/** What became of the other grant is said only where it is one of this owner's. */
function otherGrant({ workspaceName, renewed }: NotionOtherGrantError): ConnectAnswer {
  const chosen =
    renewed?.workspaceName == null ? 'another workspace or account' : `“${renewed.workspaceName}”`;
  const expected =
    workspaceName === null ? 'The workspace that you wanted to reconnect' : `“${workspaceName}”`;
  const again = 'Start again and choose the workspace and account from before.';
  return {
    status: 409,
    title: 'That was a different workspace',
    paragraphs:
      renewed === null
        ? [
            'You wanted to reconnect one Notion workspace, and another workspace or another Notion account came back.',
            `None of your connections was changed. ${expected} was not reconnected. ${again}`,
            'Notion may list this application in the workspace that you chose. You can remove it there.',
          ]
        : [
            `You chose ${chosen}, which was connected already. Its connection was renewed.`,
            `${expected} was not reconnected. ${again}`,
          ],
  };
}

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

/** Notion may have made new tokens, and ended those of an earlier connection of the same workspace. */
const UPSTREAM_UNKNOWN: ConnectAnswer = {
  status: 502,
  title: 'It is not known whether Notion was connected',
  paragraphs: [
    'You did nothing wrong: this application asked Notion to finish the connection and received no usable response.',
    'Start again now. Until you do, a connection that you already had with this workspace may stop working. If it keeps happening, tell the people who run this application.',
  ],
};

const CONTINUES: ConnectAnswer = {
  status: 202,
  title: 'Notion is being connected',
  paragraphs: [
    'Notion has granted access. This application cannot save it right now, and keeps trying by itself.',
    'You do not have to do anything. Come back in a moment: your workspace is connected then. If it is not connected after a few minutes, connect it again.',
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
  paragraphs: ['Your account has no Notion connection of this name. You can connect a workspace now.'],
};

const UNEXPECTED: ConnectAnswer = {
  status: 500,
  title: 'Something went wrong',
  paragraphs: ['This application could not finish what you asked for. Start again in a few minutes.'],
};

/** What an error means to the person in front of the browser. */
export function connectAnswerFor(error: NotionAuthError): ConnectAnswer {
  if (error instanceof NotionCallbackRefusedError) {
    if (error.startAt !== null) return noCookie(error.startAt);
    return error.refusal === 'wrong_owner' ? WRONG_OWNER : REFUSED;
  }
  if (error instanceof NotionOtherGrantError) return otherGrant(error);
  if (error instanceof NotionConnectFailedError) return exchangeFailure(error);
  if (error instanceof NotionStoreUnavailableError)
    return error.connecting === null ? UNAVAILABLE : CONTINUES;
  if (error instanceof NotionOwnerRequiredError) return OWNER_REQUIRED;
  if (error instanceof NotionAuthorizationNotFoundError) return NOT_FOUND;
  return UNEXPECTED;
}

function exchangeFailure({ kind }: NotionConnectFailedError): ConnectAnswer {
  if (kind === 'dead') return CODE_DEAD;
  return kind === 'unknown' ? UPSTREAM_UNKNOWN : UPSTREAM;
}
