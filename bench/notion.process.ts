import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Order, Report } from './notion-server.js';

// A stand-in for Notion that does as little as it can: the figures are about the caller.
const PERSON = {
  object: 'user',
  id: randomUUID(),
  type: 'person',
  name: 'Ada',
  person: { email: 'ada@example.org' },
};
const GRANT = {
  token_type: 'bearer',
  workspace_name: 'Benchmarks',
  workspace_icon: null,
  owner: { type: 'user', user: PERSON },
  duplicated_template_id: null,
};
const ME = JSON.stringify({
  object: 'user',
  id: randomUUID(),
  name: 'Benchmarks',
  avatar_url: null,
  type: 'bot',
  bot: {
    owner: GRANT.owner,
    workspace_id: randomUUID(),
    workspace_name: GRANT.workspace_name,
    // About 1 kB, as a small page of Notion's has.
    about: 'A sentence that takes some room. '.repeat(18),
  },
});
const REFUSAL = JSON.stringify({
  object: 'error',
  status: 401,
  code: 'unauthorized',
  message: 'API token is invalid.',
});
const NOT_SHARED = JSON.stringify({
  object: 'error',
  status: 404,
  code: 'object_not_found',
  message: 'Could not find page. Make sure that it is shared with the connection.',
});
/** Given to clients that bring their own token; it never dies. */
const FIXED_TOKEN = 'ntn_fixed0000000000000000000000000000000000000000';

const accepted = new Set<string>();
/** Bot and workspace of each refresh token; every connect is somebody else's. */
const grants = new Map<string, { readonly bot_id: string; readonly workspace_id: string }>();
let refreshes = 0;
let refusals = 0;

function issueFor(body: string): string {
  const { refresh_token: spent } = JSON.parse(body) as { refresh_token?: string };
  if (spent !== undefined) refreshes++;
  const known = spent === undefined ? undefined : grants.get(spent);
  return issuePair(known ?? { bot_id: randomUUID(), workspace_id: randomUUID() });
}

function issuePair(grant: { readonly bot_id: string; readonly workspace_id: string }): string {
  const [accessToken, refreshToken] = [`ntn_${randomUUID()}`, `nrt_${randomUUID()}`];
  accepted.add(accessToken);
  grants.set(refreshToken, grant);
  return JSON.stringify({ ...GRANT, ...grant, access_token: accessToken, refresh_token: refreshToken });
}

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  if (request.url === '/v1/oauth/token') {
    response.end(issueFor(body));
    return;
  }
  const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
  if (token !== FIXED_TOKEN && !accepted.has(token)) {
    refusals++;
    response.writeHead(401).end(REFUSAL);
    return;
  }
  if (request.url === '/v1/forget-this-token') accepted.delete(token);
  if (request.url === '/v1/pages/not-shared') response.writeHead(404).end(NOT_SHARED);
  else response.end(ME);
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    answer(request, response, body);
  });
});

function report(): void {
  const { port } = server.address() as AddressInfo;
  const report: Report = { url: `http://127.0.0.1:${port}`, fixedToken: FIXED_TOKEN, refreshes, refusals };
  process.send?.(report);
}

process.on('message', (order: Order) => {
  if (order === 'forget the token') accepted.clear();
  report();
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', report);
