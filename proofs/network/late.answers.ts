import { setTimeout as sleep } from 'node:timers/promises';
import { ids, judge, type NetworkStage } from './network.stage.js';

/** Longer than a caller waits, shorter than a request may take. */
const ANSWER_MS = 2_200;
const LIMIT_MS = 120_000;

/** Row 25: callers give up; the answers are stored all the same. */
export async function lateAnswers(network: NetworkStage): Promise<void> {
  const { proof, stage, replicas, rows } = network;
  const count = proof.pick({ short: 40, long: 1_000 });
  const grants = await stage.connect(count);
  await stage.notion.configure({ delayMs: { token: ANSWER_MS } });
  const mark = await stage.notion.ledger.mark();
  const half = Math.ceil(count / 2);
  const parts = [grants.slice(0, half), grants.slice(half)] as const;
  const reports = await Promise.all(replicas.map((replica, at) => replica.refreshAll(ids(parts[at] ?? []))));
  const gaveUp = reports.reduce((sum, { outcomes }) => sum + (outcomes['busy'] ?? 0), 0);
  const wanted = new Set(ids(grants));
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 500) {
    const stored = (await rows.list()).filter(({ id, version }) => wanted.has(id) && version > 1);
    if (stored.length === count) break;
    proof.progress(`late answers: ${stored.length} of ${count} stored`);
    await sleep(500);
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
