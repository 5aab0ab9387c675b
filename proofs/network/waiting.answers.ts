import { setTimeout as sleep } from 'node:timers/promises';
import type { Grant } from '../harness/stage.js';
import { sum } from '../harness/statistics.js';
import { ids, letTimePass, LONGEST_WAIT_MS, type NetworkStage } from './network.stage.js';

interface Wait {
  readonly name: string;
  readonly status: 429 | 529;
  readonly retryAfter: string;
  /** How long nobody may ask, at least, in milliseconds. */
  readonly waitMs: number;
}

const WAITS: readonly Wait[] = [
  { name: '429, Retry-After in seconds', status: 429, retryAfter: '1', waitMs: 1_000 },
  { name: '529, Retry-After in seconds', status: 529, retryAfter: '1', waitMs: 1_000 },
  { name: '429, Retry-After as a date', status: 429, retryAfter: 'date', waitMs: 1_000 },
  { name: '429, Retry-After 10^9', status: 429, retryAfter: '1000000000', waitMs: LONGEST_WAIT_MS },
];
const LIMIT_MS = 20_000;

/** Row 28: what one process was told, all obey, for every authorization. */
export async function waitingAnswers(network: NetworkStage): Promise<void> {
  const [teller, ...others] = (await network.stage.connect(9)) as [Grant, ...Grant[]];
  for (const wait of WAITS) await obey(network, wait, teller, others);
}

async function obey(
  { proof, stage, replicas, rows }: NetworkStage,
  { name, status, retryAfter, waitMs }: Wait,
  teller: Grant,
  others: readonly Grant[],
): Promise<void> {
  await letTimePass(rows);
  const fault = {
    kind: 'status',
    status,
    retryAfter: retryAfter === 'date' ? inTwoSeconds() : retryAfter,
  } as const;
  await stage.notion.fail('refresh', fault, { times: 1, botId: teller.botId });
  const mark = await stage.notion.ledger.mark();
  const { kind } = await replicas[0].refresh(teller.id);
  const beganMs = performance.now();
  let asked = 0;
  let renewed = 0;
  while (renewed < others.length && performance.now() - beganMs < LIMIT_MS) {
    const reports = await Promise.all(replicas.map((replica) => replica.refreshAll(ids(others))));
    asked += reports.length * others.length;
    renewed += sum(reports.map(({ outcomes }) => outcomes['renewed'] ?? 0));
    await sleep(50);
  }
  const [told, ...later] = await stage.notion.ledger.since(mark).requests({ grantType: 'refresh_token' });
  const untilMs = (told?.receivedAt.getTime() ?? 0) + waitMs;
  const early = later.filter(({ receivedAt }) => receivedAt.getTime() < untilMs).length;
  const title = `row 28, ${name}`;
  const isTold = Number(kind === 'not_processed');
  proof.figure({ figure: `${title}: not_processed`, value: isTold, bound: { equals: 1 } });
  proof.figure({ figure: `${title}: asked for meanwhile`, value: asked });
  proof.figure({ figure: `${title}: requests inside the window`, value: early, bound: { equals: 0 } });
  proof.figure({ figure: `${title}: renewed after it`, value: renewed, bound: { atLeast: others.length } });
}

/** A date has no fractions of a second: this one is more than one second away. */
function inTwoSeconds(): string {
  return new Date(Date.now() + 2_000).toUTCString();
}
