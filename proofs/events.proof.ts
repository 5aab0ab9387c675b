import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { EventsReplica, type Heard } from './events/events.replica.js';
import type { KillStep } from './events/events.process.js';
import { prove, type Proof } from './harness/proof.js';
import { Stage, type Grant } from './harness/stage.js';

const STEPS: readonly KillStep[] = ['after_commit', 'after_claim', 'before_confirm'];
const REPLICAS = 3;
const LEASE_MS = 1_000;
const SETTLE_WITHIN_MS = 60_000;
/** Long enough for a refresh, a commit and a delivery on a busy machine. */
const OVERTAKEN_AFTER_MS = 5_000;

/** A row of the outbox. */
interface Raised {
  readonly id: string;
  readonly name: string;
  readonly authorization_id: string;
  readonly next_delivery_at: unknown;
}

await prove('events', async (proof) => {
  const stage = await Stage.open(proof);
  const heard: Heard[] = [];
  const options = {
    ...stage.directOptions,
    // People who leave on purpose, one after another, are no fault of ours here.
    refresh: { massDeadMinimum: 1_000_000 },
    events: { lookEveryMs: 200, leaseMs: LEASE_MS },
  };
  const start = () => EventsReplica.start(options, heard, proof.leftovers);
  const replicas = [await start(), await start(), await start()];
  const kills = proof.pick({ short: 6, long: 100 });
  const grants: Grant[] = [];
  for (let killed = 0; killed < kills;) {
    proof.progress(`${String(killed)} of ${String(kills)} kills`);
    const slot = grants.length % REPLICAS;
    grants.push(...(await stage.connect(1)));
    const died = await diesDuring(replicas[slot]!, STEPS[killed % STEPS.length]!, grants.at(-1)!, stage);
    if (died) killed += 1;
    replicas[slot] = await start();
  }
  proof.figure({ figure: 'processes killed between commit and delivery', value: kills });
  await judge(proof, stage, grants, heard);
  for (const replica of replicas) replica.kill();
});

/**
 * The person revokes, the replica finds out, commits that, and dies before everybody has heard. Another may be quicker
 * with what it committed: then it dies all the same, and that kill is not counted.
 */
async function diesDuring(
  replica: EventsReplica,
  step: KillStep,
  grant: Grant,
  { notion }: Stage,
): Promise<boolean> {
  await notion.revokeGrant(grant.botId);
  replica.order({ kind: 'arm', step });
  replica.order({ kind: 'refresh', authorizationId: grant.id });
  const died = await Promise.race([replica.gone.then(() => true), sleep(OVERTAKEN_AFTER_MS, false)]);
  if (!died) replica.kill();
  await replica.gone;
  return died;
}

async function judge(
  proof: Proof,
  stage: Stage,
  grants: readonly Grant[],
  heard: readonly Heard[],
): Promise<void> {
  const source = await new DataSource({
    type: 'postgres',
    url: String(stage.directOptions.databaseUrl),
  }).initialize();
  const list = () => source.query<Raised[]>('SELECT * FROM notion_event');
  const startedMs = performance.now();
  let raised = await list();
  while (raised.some(isOpen) && performance.now() - startedMs < SETTLE_WITHIN_MS) {
    await sleep(250);
    raised = await list();
  }
  await source.destroy();
  const rows = await stage.readRows((stored) => stored.list());
  const marked = rows.filter(({ status }) => status === 'needs_reconnect').length;
  const told = raised.filter(({ name }) => name === 'needs_reconnect');
  const ids = new Set(heard.map(({ id }) => id));
  const perTransition = new Set(raised.map((event) => `${event.name} ${event.authorization_id}`));
  proof.figure({ figure: 'transitions of rows', value: marked, bound: { equals: grants.length } });
  proof.figure({
    figure: 'still to be delivered',
    value: raised.filter(isOpen).length,
    bound: { equals: 0 },
  });
  proof.figure({ figure: 'rows without their event', value: marked - told.length, bound: { equals: 0 } });
  proof.figure({
    figure: 'transitions with more than one id',
    value: raised.length - perTransition.size,
    bound: { equals: 0 },
  });
  const lost = raised.filter(({ id }) => !ids.has(id)).length;
  proof.figure({ figure: 'transitions that nobody heard', value: lost, bound: { equals: 0 } });
  proof.figure({ figure: 'heard more than once, under the same id', value: heard.length - ids.size });
}

function isOpen(event: Raised): boolean {
  return event.next_delivery_at !== null;
}
