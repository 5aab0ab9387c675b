import { measureWindow } from './crash/answer.window.js';
import { killAsPlanned, type Campaign, type CampaignResult } from './crash/kill.campaign.js';
import type { KillLog, KillPlace } from './crash/kill.log.js';
import type { Findings } from './harness/checker.js';
import { prove, type Proof } from './harness/proof.js';
import { Stage } from './harness/stage.js';
import { median } from './harness/statistics.js';

type Size = 'short' | 'long';

/** Together 200 kills after each step and 400 at random, and some where the loss cannot be avoided. */
const STRICT: Readonly<Record<Size, Campaign>> = {
  short: {
    lanes: 1,
    withJournal: {
      after_claim: 2,
      after_journal: 4,
      after_commit: 2,
      random: 3,
      on_the_wire: 1,
      after_answer: 1,
    },
    withoutJournal: {
      after_claim: 1,
      after_journal: 1,
      after_commit: 1,
      random: 2,
      on_the_wire: 1,
      after_answer: 1,
    },
  },
  long: {
    lanes: 2,
    withJournal: {
      after_claim: 120,
      after_journal: 160,
      after_commit: 120,
      random: 220,
      on_the_wire: 15,
      after_answer: 15,
    },
    withoutJournal: {
      after_claim: 80,
      after_journal: 40,
      after_commit: 80,
      random: 180,
      on_the_wire: 10,
      after_answer: 10,
    },
  },
};
/** Where Notion takes a spent token once more, or does not rotate at all, no place is deadly. */
const RECOVERABLE: Readonly<Record<Size, Campaign>> = {
  short: { lanes: 1, withJournal: {}, withoutJournal: { random: 1, after_answer: 1 } },
  long: {
    lanes: 2,
    withJournal: { random: 20, on_the_wire: 20 },
    withoutJournal: { random: 20, after_answer: 20 },
  },
};

const QUARANTINE_MS = 9_000;
const REFRESH = {
  requestTimeoutMs: 3_000,
  leaseMarginMs: 500,
  leaseMs: 4_000,
  quarantineMs: QUARANTINE_MS,
  restartGraceMs: 60_000,
  callerWaitMs: 700,
};
const STEPS = [
  'after_claim',
  'after_journal',
  'after_commit',
  'random',
  'on_the_wire',
  'after_answer',
] as const;

await prove('crash', async (proof) => {
  const stage = await Stage.open(proof, {
    notion: { modes: { rotation: 'reuse_kills_family', delayMs: { token: 5 } } },
    refresh: REFRESH,
    history: true,
  });
  await measureWindow(proof, stage);
  await strict(proof, stage);
  // Introspection that knows spent tokens only as dead would forbid the replay that is recovery here.
  await stage.notion.configure({ rotation: 'grace', introspectRefreshTokens: 'error' });
  await recoverable(proof, stage, 'grace mode');
  await stage.notion.configure({ rotation: 'strict', refreshTokenOnRefresh: 'omitted' });
  await recoverable(proof, stage, 'lenient mode');
  await stage.close();
});

async function strict(proof: Proof, stage: Stage): Promise<void> {
  const { log, findings } = await run(proof, stage, STRICT[proof.size]);
  for (const hasJournal of [true, false]) for (const step of STEPS) tellStep(proof, log, step, hasJournal);
  const inWindow = log.withFate('in_window');
  const lost = findings.rows.filter(({ verdict }) => verdict === 'lost' || verdict === 'dead_but_active');
  const outside = lost.filter(({ id }) => !inWindow.has(id)).length;
  const kills = log.count;
  proof.figure({ figure: 'strict: kills', value: kills });
  proof.figure({ figure: 'strict: hit inside the window, by kill log and ledger', value: inWindow.size });
  proof.figure({
    figure: 'strict: authorizations lost',
    value: lost.length,
    bound: { equals: inWindow.size },
  });
  proof.figure({ figure: 'strict: lost outside the window', value: outside, bound: { equals: 0 } });
  const durable = log.withFate('durable_and_lost').size;
  proof.figure({ figure: 'strict: durable in the journal and lost', value: durable, bound: { equals: 0 } });
  tellInvariants(proof, findings, 'strict');
  proof.figure({ figure: 'strict: families revoked', value: findings.familiesRevoked, bound: { equals: 0 } });
  proof.figure({
    figure: 'strict: restart of a killed process, p50',
    value: median(log.restartsMs),
    unit: 'ms',
  });
}

async function recoverable(proof: Proof, stage: Stage, mode: string): Promise<void> {
  const before = await stage.check();
  const { log, grants, findings } = await run(proof, stage, RECOVERABLE[proof.size]);
  const ours = new Set(grants.map(({ id }) => id));
  const lost = findings.rows.filter(({ id, verdict }) => ours.has(id) && verdict !== 'good').length;
  proof.figure({ figure: `${mode}: kills`, value: log.count });
  proof.figure({ figure: `${mode}: pair lost by the kill, at first`, value: log.withFate('in_window').size });
  proof.figure({ figure: `${mode}: authorizations lost`, value: lost, bound: { equals: 0 } });
  const held = findings.replaysSuccessorHeld - before.replaysSuccessorHeld;
  proof.figure({ figure: `${mode}: spent token presented though held`, value: held, bound: { equals: 0 } });
}

async function run(
  proof: Proof,
  stage: Stage,
  campaign: Campaign,
): Promise<CampaignResult & { readonly findings: Findings }> {
  const result = await killAsPlanned(proof, stage, campaign);
  const { pending } = await stage.settle(QUARANTINE_MS * 3);
  proof.figure({ figure: 'attempts still unresolved', value: pending, bound: { equals: 0 } });
  return { ...result, findings: await stage.check() };
}

function tellStep(proof: Proof, log: KillLog, step: KillPlace, hasJournal: boolean): void {
  const kills = log.at(step, hasJournal);
  if (kills.length === 0) return;
  const name = `strict, journal ${hasJournal ? 'on' : 'off'}, ${step}`;
  const lost = log.withFate('in_window', kills).size + log.withFate('durable_and_lost', kills).size;
  const isSafe =
    step === 'after_claim' || step === 'after_commit' || (step === 'after_journal' && hasJournal);
  proof.figure({ figure: `${name}: kills`, value: kills.length });
  proof.figure({
    figure: `${name}: lost${isSafe ? '' : ' inside the window'}`,
    value: lost,
    bound: isSafe ? { equals: 0 } : undefined,
  });
}

function tellInvariants(proof: Proof, findings: Findings, mode: string): void {
  const none = { equals: 0 };
  proof.figure({ figure: `${mode}: wrong reconnects`, value: findings.wrongReconnects, bound: none });
  proof.figure({ figure: `${mode}: dead but active`, value: findings.deadButActive, bound: none });
  proof.figure({ figure: `${mode}: overlapping refreshes`, value: findings.overlaps, bound: none });
  proof.figure({
    figure: `${mode}: spent token presented though held`,
    value: findings.replaysSuccessorHeld,
    bound: none,
  });
  proof.figure({ figure: `${mode}: version went down`, value: findings.versionRegressions, bound: none });
  proof.figure({ figure: `${mode}: attempts unaccounted for`, value: findings.unaccounted, bound: none });
}
