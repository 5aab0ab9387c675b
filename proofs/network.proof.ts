import { prove, type Proof } from './harness/proof.js';
import { Stage } from './harness/stage.js';
import { deadGrants } from './network/dead.grants.js';
import { keptToken } from './network/kept.token.js';
import { lateAnswers } from './network/late.answers.js';
import { manyAnswers } from './network/many.answers.js';
import { NETWORK_REFRESH, type NetworkStage } from './network/network.stage.js';
import { refusedClient } from './network/refused.client.js';
import { eachAnswer } from './network/single.answers.js';
import { resetBeforeRequest, unreachable } from './network/unreachable.js';
import { waitingAnswers } from './network/waiting.answers.js';

/** Notion's answers, and the lack of them, as the rows 21 to 31 of the fault matrix name them. */
await prove('network', async (proof) => {
  await Promise.all([matrix(proof), refusedClient(proof)]);
});

async function matrix(proof: Proof): Promise<void> {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family' } },
    refresh: NETWORK_REFRESH,
    history: true,
  });
  await stage.readRows(async (rows) => {
    const [first, second] = await stage.startReplicas(2);
    if (first === undefined || second === undefined) throw new Error('Two replicas were asked for.');
    await play({ proof, stage, rows, replicas: [first, second] });
  });
  await stage.close();
}

async function play(network: NetworkStage): Promise<void> {
  const { proof, stage } = network;
  await unreachable(network);
  await resetBeforeRequest(network);
  await lateAnswers(network);
  await eachAnswer(network, 'strict');
  await waitingAnswers(network);
  await deadGrants(network);
  await keptToken(network);
  await manyAnswers(network, 'strict', proof.pick({ short: 200, long: 6_000 }));
  await judgeAll(network);
  // Introspection that knows spent tokens only as dead would forbid the replay that is recovery here.
  await stage.notion.configure({ rotation: 'grace', introspectRefreshTokens: 'error' });
  await eachAnswer(network, 'grace');
  await manyAnswers(network, 'grace', proof.pick({ short: 100, long: 4_000 }));
}

async function judgeAll({ proof, stage }: NetworkStage): Promise<void> {
  const none = { equals: 0 };
  const findings = await stage.check();
  proof.figure({ figure: 'strict: wrong reconnects', value: findings.wrongReconnects, bound: none });
  proof.figure({ figure: 'strict: overlapping refreshes', value: findings.overlaps, bound: none });
  const held = findings.replaysSuccessorHeld;
  proof.figure({ figure: 'strict: spent token presented though held', value: held, bound: none });
  proof.figure({ figure: 'strict: version went down', value: findings.versionRegressions, bound: none });
  proof.figure({ figure: 'strict: attempts unaccounted for', value: findings.unaccounted, bound: none });
}
