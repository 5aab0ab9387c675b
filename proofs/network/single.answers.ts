import type { Grant } from '../harness/stage.js';
import { mergeTallies, type Tally } from '../harness/statistics.js';
import { ids, judge, letTimePass, settled, type NetworkStage } from './network.stage.js';
import { ODD_ANSWERS, type OddAnswer } from './notion.answers.js';

/** Rows 23 to 28: each odd answer by itself, and what becomes of the authorizations afterwards. */
export async function eachAnswer(network: NetworkStage, mode: 'strict' | 'grace'): Promise<void> {
  const { proof, stage } = network;
  const count = proof.pick({ short: mode === 'strict' ? 2 : 1, long: 20 });
  const grants = await stage.connect(count * ODD_ANSWERS.length);
  const played = ODD_ANSWERS.map((odd, at) => ({ odd, mine: grants.slice(at * count, (at + 1) * count) }));
  for (const { odd, mine } of played) {
    const outcomes = await meet(network, odd, mine);
    const figure = `${mode}, row ${odd.row}, ${odd.name}: ${odd.outcome}`;
    proof.figure({ figure, value: outcomes[odd.outcome] ?? 0, bound: { equals: count } });
  }
  proof.say(`${mode}: answers met, resolving`);
  await resolve(network, grants);
  for (const { odd, mine } of played) await tellEnd(network, mode, odd, mine);
}

async function tellEnd(
  network: NetworkStage,
  mode: string,
  odd: OddAnswer,
  mine: readonly Grant[],
): Promise<void> {
  const { proof } = network;
  const { good, wrong_reconnect: wrong } = await judge(network, mine);
  const name = `${mode}, row ${odd.row}, ${odd.name}`;
  const lost = odd.isFatal && mode === 'strict' ? mine.length : 0;
  proof.figure({ figure: `${name}: lost`, value: mine.length - good - wrong, bound: { equals: lost } });
  proof.figure({ figure: `${name}: wrong reconnects`, value: wrong, bound: { equals: 0 } });
}

/** Every one of them gets this answer once. */
export async function meet(network: NetworkStage, odd: OddAnswer, grants: readonly Grant[]): Promise<Tally> {
  const { stage, replicas } = network;
  await Promise.all(grants.map(({ botId }) => stage.notion.fail('refresh', odd.fault, { times: 1, botId })));
  return (await replicas[0].refreshAll(ids(grants))).outcomes;
}

/** As many as a replica has done within the wait of their callers, also on a busy machine. */
const AT_ONCE = 25;

/** Time passes, and each is refreshed until nothing is unresolved: twice is enough where nothing fails any more. */
export async function resolve(network: NetworkStage, grants: readonly Grant[]): Promise<Tally> {
  const tallies: Tally[] = [];
  for (let round = 0; round < 2; round++) {
    await settled(network);
    await letTimePass(network.rows);
    for (let from = 0; from < grants.length; from += 2 * AT_ONCE) {
      const batches = [grants.slice(from, from + AT_ONCE), grants.slice(from + AT_ONCE, from + 2 * AT_ONCE)];
      const reports = network.replicas.map((replica, at) =>
        replica.refreshAll(ids(batches[at] ?? []), 'recovery'),
      );
      for (const { outcomes } of await Promise.all(reports)) tallies.push(outcomes);
    }
  }
  return mergeTallies(tallies);
}
