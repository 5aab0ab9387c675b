import { parseArgs } from 'node:util';
import { Client } from '@notionhq/client';
import { Agent, request } from 'undici';
import { startApplication, type Application } from './application.js';
import { perSecond, print, type Figure } from './figure.js';
import { NotionServer } from './notion-server.js';
import { compareOverhead } from './overhead.js';
import { inTurn, median, medianRatio, millisecondsOf } from './rounds.js';

// Ratios, not rates, are what to compare: both sides of each are measured in turn in this one run, against a
// loopback server in a process of its own.
const ROUNDS = 9;
const CALLS = { rounds: ROUNDS, calls: 2_000, parallel: 50 };
const BURST = 1_000;
/** The module's default bound of calls on the wire for one authorization. */
const WIRE_BOUND = 50;

async function compareCalls(server: NotionServer, app: Application): Promise<Figure[]> {
  const url = `${server.url}/v1/users/me`;
  const agent = new Agent({ connections: CALLS.parallel });
  const headers = { authorization: `Bearer ${server.fixedToken}`, 'notion-version': '2026-03-11' };
  const globalSdk = new Client({ baseUrl: server.url, auth: server.fixedToken });
  const ownSdk = app.clients.forAuthorization(app.id);
  const ownFetch = app.clients.fetchFor(app.id);
  const rates = await inTurn(
    {
      globalSdk: () => globalSdk.users.me({}),
      ownSdk: () => ownSdk.users.me({}),
      bareRequest: async () => (await request(url, { headers, dispatcher: agent })).body.json(),
      ownFetch: async () => (await ownFetch(url, { headers })).json(),
    },
    CALLS,
  );
  await agent.close();
  const sdk = medianRatio(rates.ownSdk, rates.globalSdk);
  const fetch = medianRatio(rates.ownFetch, rates.bareRequest);
  return [
    {
      what: 'authorized SDK call / SDK with global fetch and a fixed token',
      measured: `${sdk.toFixed(2)}x (${perSecond(rates.ownSdk)} / ${perSecond(rates.globalSdk)})`,
      goal: 'at least 2x',
      isMet: sdk >= 2,
    },
    {
      what: 'fetchFor / bare undici.request, both parse the JSON',
      measured: `${fetch.toFixed(2)}x (${perSecond(rates.ownFetch)} / ${perSecond(rates.bareRequest)})`,
      goal: 'at least 0.75x',
      isMet: fetch >= 0.75,
    },
  ];
}

async function timeCachedToken({ tokens, id }: Application): Promise<Figure> {
  const batches: number[] = [];
  for (let batch = 0; batch < 2_000; batch++) {
    const tookMs = await millisecondsOf(async () => {
      for (let call = 0; call < 100; call++) await tokens.getAccessToken(id);
    });
    batches.push(tookMs * 10);
  }
  const microseconds = median(batches);
  return {
    what: 'getAccessToken from the cache, median',
    measured: `${microseconds.toFixed(2)} µs`,
    goal: 'at most 1 µs',
    isMet: microseconds <= 1,
  };
}

async function compareBursts(server: NotionServer, { clients, id }: Application): Promise<Figure[]> {
  const sdk = clients.forAuthorization(id);
  const burst = (): Promise<number> =>
    millisecondsOf(() => Promise.all(Array.from({ length: BURST }, () => sdk.users.me({}))));
  await burst();
  const live: number[] = [];
  const dead: number[] = [];
  const before = await server.report();
  for (let round = 0; round < ROUNDS; round++) {
    live.push(await burst());
    await server.forgetToken();
    dead.push(await burst());
  }
  const after = await server.report();
  const ratio = medianRatio(dead, live);
  const refreshes = (after.refreshes - before.refreshes) / ROUNDS;
  const refusals = (after.refusals - before.refusals) / ROUNDS;
  return [
    {
      what: `${BURST} SDK calls at once on a dead token / on a live one, wall time`,
      measured: `${ratio.toFixed(2)}x (${median(dead).toFixed(0)} ms / ${median(live).toFixed(0)} ms)`,
      goal: 'at most 1.5x',
      isMet: ratio <= 1.5,
    },
    {
      what: 'refreshes and refused calls of such a burst',
      measured: `${refreshes.toFixed(1)} and ${refusals.toFixed(1)}`,
      goal: `1 and at most ${WIRE_BOUND}`,
      isMet: refreshes === 1 && refusals <= WIRE_BOUND,
    },
  ];
}

const PARTS: Readonly<Record<string, (server: NotionServer, app: Application) => Promise<Figure[]>>> = {
  calls: compareCalls,
  token: async (_server, app) => [await timeCachedToken(app)],
  burst: compareBursts,
  overhead: ({ url }) => compareOverhead(url),
};

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const chosen = Object.entries(PARTS).filter(([name]) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only takes one of: ${Object.keys(PARTS).join(', ')}.`);

const server = await NotionServer.start();
const app = await startApplication(server.url);
try {
  for (const [, measure] of chosen) print(await measure(server, app));
} finally {
  await app.close();
  server.stop();
}
