import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { prove, type Proof } from './harness/proof.js';
import { Stage, type Grant } from './harness/stage.js';
import { sum } from './harness/statistics.js';
import { SignalHost, type HostEnd } from './signals/signal.host.js';
import type { SignalHandling } from './signals/signal.host.messages.js';

const PROGRAM = fileURLToPath(new URL('./signals/signal.host.process.js', import.meta.url));
const LANES = 4;
const REFRESHES = 4;
const REQUEST_MS = 300;
const TOKEN_MS = 250;
const LONGEST_START_MS = 10_000;
/** A host that takes longer is one that does not end. */
const LONGEST_END_MS = 30_000;
const HANDLINGS: readonly SignalHandling[] = ['on', 'once', 'hooks', 'late', 'none'];

await prove('signals', async (proof) => {
  const stage = await Stage.open(proof, {
    engine: 'sqlite',
    notion: { modes: { rotation: 'reuse_kills_family', delayMs: { token: TOKEN_MS } } },
  });
  const wanted = proof.pick({ short: 50, long: 1_000 });
  const rounds: Round[] = [];
  const lanes = await Promise.all(Array.from({ length: LANES }, () => openLane(stage)));
  let begun = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (begun < wanted) {
        rounds.push(await sendSigterm(proof, stage, lane, planOf(begun++)));
        proof.progress(`${rounds.length} of ${wanted} SIGTERMs`);
      }
    }),
  );
  for (const lane of lanes) await replayJournal(stage, lane);
  await judge(proof, stage, rounds);
});

/** One machine: its hosts run one after another, on the same database file and journal folder. */
interface Lane {
  readonly journalFolder: string;
  readonly grants: readonly Grant[];
}

interface Plan {
  /** Whether SIGTERM waits until every refresh has been sent; otherwise some are still being claimed. */
  readonly waits: boolean;
  readonly handling: SignalHandling;
  readonly modules: 1 | 2;
}

interface Round extends Plan {
  readonly end: HostEnd;
  /** What the client of the request in flight received. */
  readonly response: string;
}

async function openLane(stage: Stage): Promise<Lane> {
  return { journalFolder: stage.journalFolder(), grants: await stage.connect(REFRESHES) };
}

/** Each way of handling in turn, first with one instance of the module and then with two. */
function planOf(number: number): Plan {
  const handling = HANDLINGS[number % HANDLINGS.length] ?? 'none';
  const turn = Math.floor(number / HANDLINGS.length);
  return { handling, modules: turn % 2 === 0 ? 1 : 2, waits: turn % 3 > 0 };
}

/** SIGTERM at a random moment while a request of the host and refreshes of the module are in flight. */
async function sendSigterm(proof: Proof, stage: Stage, lane: Lane, plan: Plan): Promise<Round> {
  const options = stage.replicaOptions({ journalFolder: lane.journalFolder }, { direct: true });
  const { handling, modules } = plan;
  const host = await SignalHost.start(PROGRAM, { options, handling, modules, slowMs: REQUEST_MS });
  proof.leftovers.watch(host.pid);
  const delayMs = proof.random.whole(0, TOKEN_MS + 50);
  const ids = lane.grants.map(({ id }) => id);
  const { response } = await host.beginRequest();
  await host.refresh(ids.slice(0, REFRESHES / 2));
  await host.refresh(ids.slice(REFRESHES / 2), modules === 2 ? 1 : 0);
  if (plan.waits) await Promise.race([host.sent(REFRESHES), sleep(LONGEST_START_MS)]);
  await sleep(delayMs);
  host.signal('SIGTERM');
  const end = await host.end(LONGEST_END_MS);
  proof.leftovers.forget(host.pid);
  return { ...plan, end, response: await response };
}

/** What a host has journaled and not stored is stored by the next process of its machine. */
async function replayJournal(stage: Stage, { journalFolder }: Lane): Promise<void> {
  const replica = await stage.startReplica({}, stage.replicaOptions({ journalFolder }, { direct: true }));
  await replica.stop();
}

async function judge(proof: Proof, stage: Stage, rounds: readonly Round[]): Promise<void> {
  const { pending } = await stage.settle(60_000);
  const findings = await stage.check();
  const stored = sum(findings.rows.map(({ version }) => version - 1));
  const rotations = await stage.notion.ledger.rotations();
  const handled = rounds.filter(({ handling }) => handling !== 'none');
  const cut = handled.filter(({ response }) => response !== 'finished');
  for (const { handling, modules, response } of cut) {
    proof.say(`a request was cut: ${handling}, ${modules} module(s): ${response}`);
  }
  const endless = rounds.filter(({ end }) => end.isKilled);
  for (const { handling, modules } of endless) proof.say(`did not end: ${handling}, ${modules} module(s)`);
  const left = rounds.filter(({ handling, end }) => handling === 'none' && end.signal !== 'SIGTERM');
  const zero = { equals: 0 };
  proof.figure({
    figure: 'SIGTERMs',
    value: rounds.length,
    bound: { atLeast: proof.pick({ short: 50, long: 1_000 }) },
  });
  proof.figure({ figure: 'pairs issued', value: rotations, bound: { atLeast: rounds.length } });
  proof.figure({ figure: 'requests of the host cut', value: cut.length, bound: zero });
  proof.figure({ figure: 'processes that do not end', value: endless.length, bound: zero });
  proof.figure({ figure: 'unhandled signals without their default action', value: left.length, bound: zero });
  proof.figure({ figure: 'pairs issued and never stored', value: rotations - stored, bound: zero });
  proof.figure({ figure: 'authorizations lost', value: findings.lost, bound: zero });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: zero });
  proof.figure({ figure: 'attempts left unresolved', value: pending, bound: zero });
}
