import type { Fault } from 'nestjs-notion-auth/testing';
import type { Grant } from '../harness/stage.js';
import { ids, judge, letTimePass, settled, type NetworkStage } from './network.stage.js';
import { ODD_ANSWERS } from './notion.answers.js';
import { resolve } from './single.answers.js';

const GRANTS = 100;
/** More of what holds back the whole client would leave little of the rest. */
const RARE_SHARE = 0.02;

/** Answered with, now and then, beside {@link ODD_ANSWERS}. */
const RARE: readonly Fault[] = [
  { kind: 'status', status: 401, code: 'invalid_client' },
  { kind: 'status', status: 429, retryAfter: 5 },
  { kind: 'status', status: 529, retryAfter: 5 },
  // Longer than a request may take. Processed at once: Notion gives up by itself before we do, and what it processed
  // after our deadline, it would process beside the next attempt.
  { kind: 'delay', ms: 4_500 },
  { kind: 'slow_body', ms: 4_500 },
  { kind: 'delay', ms: 1_000, processed: false },
];

/** So many odd answers at random; the rows are compared with the ledger after every round. */
export async function manyAnswers(
  network: NetworkStage,
  mode: 'strict' | 'grace',
  wanted: number,
): Promise<void> {
  const { proof, stage } = network;
  const mark = await stage.notion.ledger.mark();
  const everyone: Grant[] = [];
  let grants: readonly Grant[] = [];
  let met = 0;
  while (met < wanted) {
    const fresh = await stage.connect(GRANTS - grants.length);
    everyone.push(...fresh);
    grants = [...grants, ...fresh];
    met += await playRound(network, grants);
    await resolve(network, grants);
    grants = await alive(network, grants);
    proof.progress(`${mode}: ${met} of ${wanted} odd answers`);
  }
  const { wrong_reconnect: wrong, lost, dead_but_active: dead } = await judge(network, everyone);
  const requests = await stage.notion.ledger.since(mark).requests({ grantType: 'refresh_token' });
  const odd = requests.filter(({ fault }) => fault !== null).length;
  const replays = requests.filter(({ replay }) => replay).length;
  const name = `${mode}, many odd answers`;
  proof.figure({ figure: `${name}: given by Notion`, value: odd, bound: { atLeast: wanted } });
  proof.figure({ figure: `${name}: wrong reconnects`, value: wrong, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: dead but active`, value: dead, bound: { equals: 0 } });
  const bound = mode === 'strict' ? undefined : { equals: 0 };
  proof.figure({ figure: `${name}: lost with their answers`, value: lost, bound });
  if (mode === 'grace') return;
  // Each of them was rotated behind an answer that nobody could read, and no other.
  const unread = requests.filter(({ fault, rotated }) => fault !== null && rotated).length;
  proof.figure({ figure: `${name}: rotated and not readable`, value: unread, bound: { atLeast: lost } });
  proof.figure({ figure: `${name}: spent tokens presented`, value: replays, bound: { equals: 0 } });
}

/** @returns How many odd answers were given. */
async function playRound(network: NetworkStage, grants: readonly Grant[]): Promise<number> {
  const { proof, stage, replicas, rows } = network;
  const mark = await stage.notion.ledger.mark();
  const fault = () =>
    proof.random.chance(RARE_SHARE) ? proof.random.one(RARE) : proof.random.one(ODD_ANSWERS).fault;
  await Promise.all(grants.map(({ botId }) => stage.notion.fail('refresh', fault(), { times: 1, botId })));
  // What a gate held back in the first pass meets its answer in the second.
  for (let pass = 0; pass < 2; pass++) {
    await Promise.all(replicas.map((replica, at) => replica.refreshAll(ids(share(grants, at)))));
    await settled(network);
    await letTimePass(rows);
  }
  await stage.notion.clearFaults();
  const requests = await stage.notion.ledger.since(mark).requests({ grantType: 'refresh_token' });
  return requests.filter((request) => request.fault !== null).length;
}

async function alive({ rows }: NetworkStage, grants: readonly Grant[]): Promise<readonly Grant[]> {
  const active = new Set((await rows.list()).filter(({ status }) => status === 'active').map(({ id }) => id));
  return grants.filter(({ id }) => active.has(id));
}

function share(grants: readonly Grant[], at: number): readonly Grant[] {
  return grants.filter((_grant, index) => index % 2 === at);
}
