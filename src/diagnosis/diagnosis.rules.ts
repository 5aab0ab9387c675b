import type { Rule } from './diagnosis.js';
import { OWN_RULES } from './own-error.rules.js';

/** By name; the name is also the section of the runbook. */
const NOTION_RULES = {
  invalid_grant: {
    family: 'grant',
    needsPerson: true,
    summary: 'Notion does not take this refresh token any more.',
    causes: [
      'the person, or an administrator of the workspace, removed the connection in Notion',
      'the refresh token was spent before: by another process or another copy of the data, or its answer was lost',
      'the token belongs to another Notion connection (client id) than the one that presents it',
    ],
    fix: [
      'show the authorization: reason `revoked_or_expired` is the person, `lost_rotation` was us',
      'send the person through the connect page again; the authorization keeps its id',
      'if many died at once, read NotionMassInvalidGrant before anybody is asked to connect',
    ],
  },
  invalid_code: {
    family: 'connect',
    needsPerson: true,
    summary: 'Notion does not take this code any more. Stored authorizations are not concerned.',
    causes: [
      'the code was used before: the callback was opened twice, by a reload, a link preview or a second handler',
      'the code is too old; it is good for minutes',
      'the redirect URI of the exchange is not byte for byte that of the authorize URL',
      'the code was issued to another client id',
    ],
    fix: [
      'let the person start again from the connect page',
      'if it is always so: let NotionCallbackGuard take the callback, and look for a second consumer of it',
      'compare the redirect URI in the authorize URL with NOTION_REDIRECT_URIS and with Notion’s form',
    ],
  },
  invalid_client: {
    family: 'configuration',
    needsPerson: false,
    summary: 'Notion refuses the credentials of this application. No authorization is lost by it.',
    causes: [
      'the client secret was regenerated in Notion and not here, or not on every replica',
      'client id and secret are of two different connections, or carry a space or a line break',
      'a proxy removes the Authorization header, or the credentials were sent in the body',
    ],
    fix: [
      'run `npx notion-auth doctor`, which asks Notion about the credentials without touching anybody',
      'put the new secret into NOTION_CLIENT_SECRET_NEXT, roll out, then make it NOTION_CLIENT_SECRET',
      'do not ask anybody to connect again: refreshing resumes by itself',
    ],
  },
  redirect_uri_mismatch: {
    family: 'configuration',
    needsPerson: false,
    summary: 'Notion refused the exchange as it was put, most often for its redirect URI.',
    causes: [
      'the redirect URI of the exchange differs from that of the authorize URL (scheme, case, trailing slash, port)',
      'the redirect URI was left out although the authorize URL had one or several are registered',
      'a required field is missing from the body',
    ],
    fix: [
      'copy the line `Redirect URI to register with Notion` of the startup log into Notion’s form',
      'send the same string in the authorize URL and in the exchange, as NotionConnectService does',
    ],
  },
  access_denied: {
    family: 'connect',
    needsPerson: true,
    summary: 'The person pressed Cancel, or may not install connections in this workspace.',
    causes: ['the person changed their mind', 'an administrator of the workspace restricts connections'],
    fix: ['offer to connect again', 'let an administrator of the workspace allow the connection'],
  },
  unauthorized: {
    family: 'token',
    needsPerson: false,
    summary: 'The access token is not valid. This is the one answer that calls for a refresh.',
    causes: [
      'the token was succeeded by a newer one, and an old copy of it was used',
      'the person removed the connection; then the refresh ends with `invalid_grant`',
      'the call went out with no token, or with a token of another Notion',
    ],
    fix: [
      'call through NotionClientFactory or fetchFor, which refresh once and send the call again',
      'if it stays: `npx notion-auth refresh ID` says whether the grant lives',
      'never keep a copy of an access token outside this library',
    ],
  },
  restricted_resource: {
    family: 'permission',
    needsPerson: false,
    summary: 'The token is alive, but may not do this. No refresh changes it.',
    causes: [
      'the connection lacks the capability (read, update, insert, comments, user information)',
      'the person lost that right on the page, and the connection never has more than the person',
      'the workspace has reached its limit of blocks',
    ],
    fix: [
      'compare the call with the capabilities of the connection in Notion’s form',
      'after a change of capabilities the person has to connect again to grant them',
      'ask the person about their own rights on the page',
    ],
  },
  object_not_found: {
    family: 'permission',
    needsPerson: false,
    summary:
      'The page or database does not exist, or was not shared with the connection. No refresh changes it.',
    causes: [
      'the page was not ticked when the person connected, or sharing was taken back since',
      'the id is wrong, of another workspace, or of a database where a data source is wanted',
      'the page was deleted',
    ],
    fix: [
      'let the person add the connection to the page (••• → Connections), or connect again and tick it',
      'check with the authorization whose workspace the id is of',
    ],
  },
  conflict_error: {
    family: 'request',
    needsPerson: false,
    summary: 'Two changes met at Notion.',
    causes: ['something else changed the same object', 'Notion’s file storage was away for a moment'],
    fix: ['read the object again and repeat the change'],
  },
  rate_limited: {
    family: 'limit',
    needsPerson: false,
    summary: 'Too many requests, or Notion is overloaded. The token was not looked at.',
    causes: [
      'the connection sent more in a minute than the workspace’s plan allows',
      'the connections of the workspace together did; then Retry-After may be longer than a minute',
      'Notion itself is overloaded (529)',
    ],
    fix: [
      'wait for Retry-After; refreshes of all replicas do so by themselves',
      'lower outbound.maxConcurrentPerAuthorization, or spread jobs over time',
    ],
  },
  request_blocked: {
    family: 'limit',
    needsPerson: false,
    summary: 'Notion blocks this kind of request. It asks not to repeat it.',
    causes: ['the same expensive request was repeated far too often'],
    fix: [
      'stop the job that sends it; the SDK repeats it by itself',
      'ask Notion’s support with the request id',
    ],
  },
  invalid_request: {
    family: 'request',
    needsPerson: false,
    summary: 'Notion cannot take the request as it is. No token is concerned.',
    causes: [
      'a body or parameter that this Notion-Version does not know',
      'no Notion-Version header, or one that does not exist',
      'an empty or malformed id in the address',
    ],
    fix: ['read the message of the answer', 'set the Notion-Version that the call was written for'],
  },
  upstream: {
    family: 'upstream',
    needsPerson: false,
    summary: 'Notion failed. Whether it had done its work before, the answer does not say.',
    causes: [
      'Notion has trouble',
      'one heavy request times out at Notion',
      'a proxy on the way answered instead',
    ],
    fix: [
      'look at Notion’s status page',
      'repeat reads; before repeating a write, look whether it was done',
      'leave refreshes alone: their outcome is `unknown`, and is resolved before the token is used again',
    ],
  },
  unreachable: {
    family: 'network',
    needsPerson: false,
    summary: 'No connection to Notion came about. Nothing was sent and nothing is spent.',
    causes: ['no way out: DNS, egress rules, a proxy that is not configured', 'NOTION_API_BASE_URL is wrong'],
    fix: ['run `npx notion-auth doctor` where the application runs', 'allow api.notion.com on port 443'],
  },
  proxy: {
    family: 'network',
    needsPerson: false,
    summary: 'The outgoing proxy opened no tunnel to Notion. Nothing was sent.',
    causes: [
      'proxy_unreachable: the address of the proxy is wrong, or the proxy is down',
      'proxy_authentication_required: the proxy rejected the user name and password, or has none (407)',
      'proxy_rejected: the proxy does not allow the host and port of NOTION_API_BASE_URL',
    ],
    fix: [
      'run `npx notion-auth doctor` where the application runs; it names the proxy',
      'correct outbound.proxy (NOTION_AUTH_PROXY), or with environment the variable HTTPS_PROXY',
      'allow api.notion.com on port 443 at the proxy',
    ],
  },
  untrusted_certificate: {
    family: 'network',
    needsPerson: false,
    summary: 'Whoever answered has no certificate that can be trusted. Nothing was sent.',
    causes: [
      'a proxy that opens TLS stands between, and its authority is not known here',
      'the clock of the machine is wrong',
    ],
    fix: [
      'give the authority with NODE_EXTRA_CA_CERTS; never switch verification off',
      'compare the clock of the machine',
    ],
  },
  lost_answer: {
    family: 'network',
    needsPerson: false,
    summary: 'The request left and no answer came. Notion may have processed it.',
    causes: [
      'the connection broke or the time was over',
      'Notion is slow',
      'a proxy closes idle connections early',
    ],
    fix: [
      'leave refreshes alone: introspection and a quarantine resolve them',
      'before repeating a write, look whether it was done',
      'keep every time limit on the way above refresh.requestTimeoutMs',
    ],
  },
  edge_blocked: {
    family: 'network',
    needsPerson: false,
    summary:
      'A page of HTML, not Notion’s API: something before it blocked the request. No token is concerned.',
    causes: [
      'the network edge before Notion took the address of this server for abuse',
      'a proxy or firewall on the own side answered',
      'NOTION_API_BASE_URL leads to a website',
    ],
    fix: [
      'look for a cf-ray header: with one it is Notion’s edge, without one it is your own side',
      'try from another address; give Notion’s support the cf-ray',
      'neither refresh nor ask anybody to connect again',
    ],
  },
  unexplained_answer: {
    family: 'unknown',
    needsPerson: false,
    summary: 'An answer without a code that is known. The status alone says nothing of any token.',
    causes: ['NOTION_API_BASE_URL leads elsewhere', 'a proxy answered', 'Notion has a new code'],
    fix: ['run `npx notion-auth doctor`', 'look at the whole answer, and at its headers'],
  },
  unknown: {
    family: 'unknown',
    needsPerson: false,
    summary: 'Nothing in this is known to come from Notion or from this library.',
    causes: ['an error of something else', 'a text that was cut'],
    fix: ['give the status and the body of the answer', 'look for the `cause` of the error'],
  },
} satisfies Record<string, Rule>;

export const RULES = { ...NOTION_RULES, ...OWN_RULES };

export type RuleName = keyof typeof RULES;
