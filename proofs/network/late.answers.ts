import { setTimeout as sleep } from 'node:timers/promises';
import type { Grant } from '../harness/stage.js';
import { sum } from '../harness/statistics.js';
import { ids, judge, type NetworkStage } from './network.stage.js';

/** Longer than a caller waits, shorter than a request may take. */
const ANSWER_MS = 2_200;
const LIMIT_MS = 30_000;
const AT_ONCE = 50;

/** Row 25: callers give up; the answers are stored all the same. */
export async function lateAnswers(network: NetworkStage): Promise<void> {
  const { proof, stage, replicas } = network;
  const count = proof.pick({ short: 40, long: 1_000 });
  const grants = await stage.connect(count);
  await stage.notion.configure({ delayMs: { token: ANSWER_MS } });
  const mark = await stage.notion.ledger.mark();
  let gaveUp = 0;
  // No more at once than can be sent within their leases, also on a busy machine.
  for (let from = 0; from < count; from += 2 * AT_ONCE) {
    const parts = [grants.slice(from, from + AT_ONCE), grants.slice(from + AT_ONCE, from + 2 * AT_ONCE)];
    const reports = await Promise.all(
      replicas.map((replica, at) => replica.refreshAll(ids(parts[at] ?? []))),
    );
    gaveUp += sum(reports.map(({ outcomes }) => outcomes['busy'] ?? 0));
    await stored(network, parts.flat());
    proof.progress(`late answers: ${Math.min(from + 2 * AT_ONCE, count)} of ${count} stored`);
  }
  await stage.notion.configure({ delayMs: { token: 0 } });
  const { good } = await judge(network, grants);
  const rotations = await stage.notion.ledger.since(mark).rotations();
  proof.figure({
    figure: 'row 25, late answers: callers that gave up',
    value: gaveUp,
    bound: { equals: count },
  });
  proof.figure({ figure: 'row 25, late answers: rotations', value: rotations, bound: { equals: count } });
  proof.figure({ figure: 'row 25, late answers: stored', value: good, bound: { equals: count } });
}

async function stored({ rows }: NetworkStage, grants: readonly Grant[]): Promise<void> {
  const wanted = new Set(ids(grants));
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 250) {
    const left = (await rows.list()).filter(({ id, version }) => wanted.has(id) && version === 1);
    if (left.length === 0) return;
    await sleep(250);
  }
}
