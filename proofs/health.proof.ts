import { setTimeout as sleep } from 'node:timers/promises';
import { HealthReplica, type Seen } from './health/health.replica.js';
import { prove, type Proof } from './harness/proof.js';
import { Stage, type Grant } from './harness/stage.js';

const LOAD_EVERY_MS = 40;

await prove('health', async (proof) => {
  const stage = await Stage.open(proof);
  await notionIsDown(proof, stage);
  await peopleLeave(proof, stage);
  await databaseIsDown(proof, stage);
  await toldToEnd(proof, stage);
});

function optionsOf(stage: Stage, minuteMs: number) {
  return { ...stage.replicaOptions(), health: { minuteMs } };
}

/** Refreshes one after another, each authorization in its turn, until told to stop. */
function load(replica: HealthReplica, grants: readonly Grant[]): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    replica.refresh(grants[turn % grants.length]!.id);
    turn += 1;
  }, LOAD_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}

/** One failure of three first, which is no news; then Notion answers nothing but 503 for ten minutes. */
async function notionIsDown(proof: Proof, stage: Stage): Promise<void> {
  const minuteMs = proof.pick({ short: 1_500, long: 12_000 });
  const outageMs = 10 * minuteMs;
  const steady = await stage.connect(60);
  const doomed = await stage.connect(Math.ceil((outageMs * 1.2) / LOAD_EVERY_MS));
  const replica = await HealthReplica.start(optionsOf(stage, minuteMs), proof.leftovers);
  await stage.notion.fail('refresh', { kind: 'status', status: 503 }, { times: 1 });
  for (const { id } of steady.slice(0, 3)) replica.refresh(id);
  await sleep(minuteMs);
  const first = replica.seen.every(({ state }) => state === 'insufficient_data' || state === 'ok');
  proof.figure({
    figure: 'one failure in three attempts: no change',
    value: Number(first),
    bound: { equals: 1 },
  });
  let stop = load(replica, steady.slice(3));
  await replica.until(({ state }) => state === 'ok', 5 * minuteMs);
  stop();
  proof.say('Notion is down');
  await stage.notion.fail('refresh', { kind: 'status', status: 503 });
  stop = load(replica, doomed);
  const beganMs = performance.now();
  const criticalAfterMs = await replica.until(({ state }) => state === 'critical', outageMs);
  minutes(proof, 'Notion is down: critical after', criticalAfterMs, minuteMs, 2);
  await sleep(Math.max(0, outageMs - (performance.now() - beganMs)));
  stop();
  await stage.notion.clearFaults();
  proof.say('Notion is back');
  stop = load(replica, steady.slice(3));
  const okAfterMs = await replica.until(({ state }) => state === 'ok', 10 * minuteMs);
  stop();
  minutes(proof, 'Notion is back: ok after', okAfterMs, minuteMs, 6);
  alwaysAlive(proof, 'Notion is down', replica.seen);
  const unready = replica.seen.filter(({ ready }) => ready !== 200).length;
  proof.figure({ figure: 'Notion is down: not ready', value: unready, bound: { equals: 0 } });
  await replica.stop();
}

/** Everybody removes the application in Notion at once: their news, not our alarm. */
async function peopleLeave(proof: Proof, stage: Stage): Promise<void> {
  const minuteMs = proof.pick({ short: 1_500, long: 12_000 });
  const leavers = await stage.connect(proof.pick({ short: 100, long: 500 }));
  // What ended before must be out of the window.
  await sleep(15 * minuteMs);
  const replica = await HealthReplica.start(optionsOf(stage, minuteMs), proof.leftovers);
  for (const { botId } of leavers) await stage.notion.revokeGrant(botId);
  for (const { id } of leavers) replica.refresh(id);
  await sleep(4 * minuteMs);
  const alarms = replica.seen.filter(({ state }) => state === 'degraded' || state === 'critical').length;
  proof.figure({
    figure: `${String(leavers.length)} people leave: alarms`,
    value: alarms,
    bound: { equals: 0 },
  });
  await replica.stop();
}

async function databaseIsDown(proof: Proof, stage: Stage): Promise<void> {
  const minuteMs = proof.pick({ short: 9_000, long: 60_000 });
  const replica = await HealthReplica.start(optionsOf(stage, minuteMs), proof.leftovers);
  await replica.until(({ ready }) => ready === 200, minuteMs);
  await sleep(minuteMs / 6);
  proof.say('the database is down');
  const down = stage.postgres.downFor(minuteMs);
  const beganMs = performance.now();
  await replica.until(({ ready }) => ready === 503, minuteMs);
  // Between two polls nobody knows: the earliest and the latest that it can have been.
  const [lastReady, firstUnready] = replica.around(({ ready }) => ready === 503, beganMs);
  const seconds = (atMs: number): number => ((atMs - beganMs) / minuteMs) * 60;
  proof.figure({
    figure: 'database down: not ready after (s of a minute of 60 s)',
    value: seconds(firstUnready),
    bound: { atLeast: 15 },
    isSpeed: true,
  });
  proof.figure({
    figure: 'database down: ready until (s of a minute of 60 s)',
    value: seconds(lastReady),
    bound: { atMost: 20 },
    isSpeed: true,
  });
  await down;
  proof.say('the database is back');
  const readyAfterMs = await replica.until(({ ready }) => ready === 200, minuteMs);
  const back = ((readyAfterMs ?? Infinity) / minuteMs) * 60;
  proof.figure({
    figure: 'database back: ready after (s of a minute of 60 s)',
    value: back,
    bound: { atMost: 10 },
    isSpeed: true,
  });
  alwaysAlive(proof, 'database down', replica.seen);
  await replica.stop();
}

/** An answer is on its way, so the process takes a while to end. */
async function toldToEnd(proof: Proof, stage: Stage): Promise<void> {
  const [grant] = (await stage.connect(1)) as [Grant];
  const replica = await HealthReplica.start(optionsOf(stage, 60_000), proof.leftovers);
  await replica.until(({ ready }) => ready === 200, 10_000);
  await stage.notion.fail('refresh', { kind: 'delay', ms: 3_000 }, { times: 1 });
  replica.refresh(grant.id);
  await sleep(500);
  replica.terminate();
  const unreadyAfterMs = await replica.until(({ ready }) => ready !== 200, 5_000);
  proof.figure({
    figure: 'SIGTERM: not ready after',
    value: unreadyAfterMs ?? Infinity,
    unit: 'ms',
    bound: { atMost: 500 },
  });
  await replica.stop();
}

function alwaysAlive(proof: Proof, when: string, seen: readonly Seen[]): void {
  const dead = seen.filter(({ live }) => live !== 200).length;
  proof.figure({
    figure: `${when}: not alive, of ${String(seen.length)} polls`,
    value: dead,
    bound: { equals: 0 },
  });
}

function minutes(
  proof: Proof,
  figure: string,
  tookMs: number | null,
  minuteMs: number,
  atMost: number,
): void {
  const value = (tookMs ?? Infinity) / minuteMs;
  proof.figure({ figure: `${figure} (minutes)`, value, bound: { atMost }, isSpeed: true });
}
