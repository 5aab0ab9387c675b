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
  bot_id: randomUUID(),
  workspace_id: randomUUID(),
  workspace_name: 'Benchmarks',
  workspace_icon: null,
  owner: { type: 'user', user: PERSON },
  duplicated_template_id: null,
};
const ME = JSON.stringify({
  object: 'user',
  id: GRANT.bot_id,
  name: 'Benchmarks',
  avatar_url: null,
  type: 'bot',
  bot: {
    owner: GRANT.owner,
    workspace_id: GRANT.workspace_id,
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
/** Given to clients that bring their own token; it never dies. */
const FIXED_TOKEN = 'ntn_fixed0000000000000000000000000000000000000000';

let accepted = 'ntn_none';
let refreshes = 0;
let refusals = 0;

function issuePair(): string {
  accepted = `ntn_${randomUUID()}`;
  return JSON.stringify({ ...GRANT, access_token: accepted, refresh_token: `nrt_${randomUUID()}` });
}

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  if (request.url === '/v1/oauth/token') {
    if (body.includes('"refresh_token"')) refreshes++;
    response.end(issuePair());
    return;
  }
  const { authorization } = request.headers;
  if (authorization === `Bearer ${accepted}` || authorization === `Bearer ${FIXED_TOKEN}`) {
    response.end(ME);
    return;
  }
  refusals++;
  response.writeHead(401).end(REFUSAL);
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
  if (order === 'forget the token') accepted = 'ntn_none';
  report();
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', report);
