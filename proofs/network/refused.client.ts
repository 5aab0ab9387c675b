import { setTimeout as sleep } from 'node:timers/promises';
import type { Proof } from '../harness/proof.js';
import { Stage } from '../harness/stage.js';
import { ids, judge, NETWORK_REFRESH } from './network.stage.js';

const PROBE_EVERY_MS = 30_000;

/** Row 30: Notion refuses the client itself, for everyone, and then takes it again. With a Notion of its own. */
export async function refusedClient(proof: Proof): Promise<void> {
  const stage = await Stage.open(proof, { engine: 'sqlite', refresh: NETWORK_REFRESH });
  const grants = await stage.connect(20);
  const replica = await stage.startReplica();
  const { clientSecret } = stage.notion;
  await stage.notion.rotateClientSecret('somebody has made a new one');
  const startedMs = performance.now();
  await replica.refresh(grants[0]?.id ?? '');
  const mark = await stage.notion.ledger.mark();
  const openMs = proof.pick({ short: 8_000, long: 3 * PROBE_EVERY_MS });
  while (performance.now() - startedMs < openMs) {
    await replica.refreshAll(ids(grants));
    await sleep(200);
  }
  const requests = await stage.notion.ledger.since(mark).tokenRequests();
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const allowed = Math.floor((seconds * 1_000) / PROBE_EVERY_MS);
  const name = 'row 30, invalid_client for everyone';
  proof.figure({
    figure: `${name}: requests in ${seconds} s after the first`,
    value: requests,
    bound: { atMost: allowed },
  });
  await stage.notion.rotateClientSecret(clientSecret);
  const healedMs = performance.now();
  for (let renewed = 0; renewed === 0 && performance.now() - healedMs < 2 * PROBE_EVERY_MS;) {
    await sleep(500);
    renewed = (await replica.refreshAll(ids(grants))).outcomes['renewed'] ?? 0;
  }
  const tookMs = performance.now() - healedMs;
  proof.figure({
    figure: `${name}: time until it heals by itself`,
    value: tookMs,
    unit: 'ms',
    bound: { atMost: PROBE_EVERY_MS + 5_000 },
  });
  const counts = await stage.readRows((rows) => judge({ rows, stage }, grants));
  const marked = grants.length - counts.good;
  proof.figure({ figure: `${name}: marked or lost`, value: marked, bound: { equals: 0 } });
  await stage.close();
}
