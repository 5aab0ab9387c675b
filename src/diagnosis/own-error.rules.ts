import type { NotionAuthErrorCode } from '../domain/errors.js';
import type { Rule } from './diagnosis.js';

/** What this library says itself, where nothing of Notion's stands behind it. */
export const OWN_RULES: Record<NotionAuthErrorCode, Rule> = {
  notion_config_invalid: {
    family: 'configuration',
    needsPerson: false,
    summary: 'The configuration cannot work; the message lists every problem.',
    causes: [
      'a variable is missing, misspelt or a placeholder',
      'a key that stored tokens need was taken out',
    ],
    fix: ['mend what the message lists', 'run `npx notion-auth doctor`'],
  },
  notion_authorization_not_found: {
    family: 'request',
    needsPerson: false,
    summary: 'There is no such authorization for this owner.',
    causes: [
      'the id is somebody else’s',
      'the application looks at another database or with another client id',
    ],
    fix: ['`npx notion-auth show ID` says whether it exists, and whose it is'],
  },
  notion_authorization_ambiguous: {
    family: 'request',
    needsPerson: false,
    summary: 'The owner has several active authorizations, and the request names none of them.',
    causes: ['the user connected a second workspace, and the route was written for one'],
    fix: [
      'add the route parameter `:authorizationId` to the route, and let the page send the id that the user chose',
      'or set `resolveAuthorization`, for example to the workspace kept in the session',
    ],
  },
  notion_reconnect_required: {
    family: 'grant',
    needsPerson: true,
    summary: 'Only the person can help. No request was made.',
    causes: [
      'they, or an administrator, removed the connection',
      'a rotation was lost',
      'they disconnected here',
    ],
    fix: ['send the person through the connect page again; the authorization keeps its id'],
  },
  notion_refresh_busy: {
    family: 'limit',
    needsPerson: false,
    summary: 'A refresh is under way or waits for its turn, and the caller’s wait is over.',
    causes: [
      'Notion is slow',
      'more refreshes at once than refresh.maxConcurrent',
      'the process is shutting down',
    ],
    fix: ['try again in seconds; the refresh goes on', 'if it lasts, read NotionCallersWaiting'],
  },
  notion_refresh_failed: {
    family: 'upstream',
    needsPerson: false,
    summary: 'The token could not be renewed now. The grant is not known to be dead.',
    causes: ['Notion or the way to it fails', 'a gate holds refreshes back', 'Notion refuses the client'],
    fix: ['look at `kind` and `failure` of the error', 'try again later; nothing is spent twice'],
  },
  notion_key_error: {
    family: 'configuration',
    needsPerson: false,
    summary: 'A stored secret cannot be opened with the configured keys. The row is untouched.',
    causes: [
      'its key is not in the ring of this process',
      'the key of that id is another one',
      'the row was changed by hand',
    ],
    fix: [
      '`npx notion-auth keys status` names the keys in use',
      'put the key back, after the one that seals',
    ],
  },
  notion_callback_refused: {
    family: 'connect',
    needsPerson: true,
    summary: 'The callback does not belong to a connect that this browser began here.',
    causes: [
      'it was opened twice, too late, or in another browser',
      'the cookie got lost on the way, often because the application was opened on another host',
      'a forgery',
    ],
    fix: ['let the person start again', 'if it is always so, look whether the cookie reaches the callback'],
  },
  notion_connect_denied: {
    family: 'connect',
    needsPerson: true,
    summary: 'The person did not allow it, or Notion refused for its own reasons.',
    causes: ['the person pressed Cancel', 'an administrator restricts connections'],
    fix: ['offer to connect again'],
  },
  notion_connect_failed: {
    family: 'connect',
    needsPerson: true,
    summary: 'The code could not be exchanged, or the answer could not be believed. The code is spent.',
    causes: ['Notion or the way to it fails', 'the client’s credentials or redirect URI are wrong'],
    fix: ['look at `kind` and `failure` of the error', 'let the person start again'],
  },
  notion_connect_other_grant: {
    family: 'connect',
    needsPerson: true,
    summary:
      'A reconnect came back as another workspace or account. The authorization that was meant is unchanged.',
    causes: ['the person chose another workspace, or was signed in to Notion as somebody else'],
    fix: ['tell the person which workspace is meant, and let them start again', 'or connect it as a new one'],
  },
  notion_owner_required: {
    family: 'configuration',
    needsPerson: false,
    summary: 'Nobody was resolved for this request.',
    causes: ['nobody is signed in', 'resolveOwner reads a session that is not there yet'],
    fix: ['sign in before connecting', 'let the session come before the routes of this library'],
  },
  notion_owner_invalid: {
    family: 'configuration',
    needsPerson: false,
    summary: 'An owner id is not a string.',
    causes: ['resolveOwner returns a number, an object or an array', 'a route passes an id of another type'],
    fix: ['return a string from resolveOwner, such as String(user.id)', 'pass the same string as ownerId'],
  },
  notion_request_refused: {
    family: 'request',
    needsPerson: false,
    summary: 'The request was not sent.',
    causes: ['its address is not below Notion’s API', 'its body cannot be sent twice', 'the queue is full'],
    fix: ['look at `refusal` of the error', 'give addresses as paths, such as /v1/users/me'],
  },
  notion_storage_unsupported: {
    family: 'storage',
    needsPerson: false,
    summary: 'This database, or its schema, cannot keep authorizations safely.',
    causes: [
      'migrations are pending',
      'the DataSource is SQLite of the application’s own',
      'no driver is installed',
    ],
    fix: ['run the migrations', 'run `npx notion-auth doctor`'],
  },
  notion_store_unavailable: {
    family: 'storage',
    needsPerson: false,
    summary:
      'The database does not answer. No token was spent; with `connecting` set, a granted connection is stored later.',
    causes: ['it is down, or fails over', 'its connections are used up', 'it is full or read-only'],
    fix: [
      'look at the `cause` of the error',
      'do not restart a process that holds pairs (NotionGrantsAtRisk)',
    ],
  },
  notion_webhook_refused: {
    family: 'configuration',
    needsPerson: false,
    summary: 'A delivery was refused here, before the application saw it.',
    causes: [
      'the verification token is not that of this subscription',
      'the body was parsed and written anew before it was checked; the signature is over the raw bytes',
      'somebody else sent it',
    ],
    fix: [
      'start Nest with `rawBody: true`',
      'compare the subscription in Notion’s form; resend its token if it was lost',
    ],
  },
};
