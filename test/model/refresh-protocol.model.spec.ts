import { explore, type Exploration } from './explore.js';
import { ALL_GUARDS, without, type GuardName } from './guards.js';
import { NO_FAULTS, type Scenario } from './scenario.js';

/** What each run lets happen, beyond refreshes by two processes with a journal and a Notion that introspects. */
const RUNS: Readonly<Record<string, Partial<Scenario>>> = {
  'two processes, three refreshes, two crashes': { crashes: 2 },
  'three processes, two refreshes, two crashes': { processes: 3, refreshes: 2, crashes: 2 },
  'two crashes, a lost answer, and pauses of any length': { crashes: 2, lostAnswers: 1, endlessPauses: true },
  'the same where introspection is useless': { crashes: 2, lostAnswers: 1, introspection: 'useless' },
  'the same where it answers only sometimes': {
    refreshes: 2,
    crashes: 2,
    lostAnswers: 1,
    introspection: 'either',
  },
  'the same without a journal': {
    refreshes: 2,
    crashes: 2,
    lostAnswers: 1,
    introspection: 'either',
    journal: false,
  },
  'a reconnect, a disconnect and a crash': { refreshes: 1, crashes: 1, reconnects: 1, disconnects: 1 },
  'a failover that forgets up to two refreshes': { refreshes: 2, failovers: 1 },
  'a failover and two crashes': { refreshes: 1, crashes: 2, failovers: 1 },
  'a failover, a refresh and a reconnect': { refreshes: 1, reconnects: 1, failovers: 1 },
  'a failover, a refresh and a disconnect': { refreshes: 1, disconnects: 1, failovers: 1 },
  'a failover between a reconnect and a disconnect': {
    refreshes: 0,
    reconnects: 1,
    disconnects: 1,
    failovers: 1,
  },
};

/** The smallest run in which the loss of each guard shows, and what then breaks. */
const LOSSES: Readonly<Record<GuardName, { readonly run: Partial<Scenario>; readonly breaks: string }>> = {
  selfFence: { run: {}, breaks: 'I-1' },
  leaseOutlivesRequest: { run: {}, breaks: 'I-1' },
  twoStepDeadline: { run: {}, breaks: 'I-4' },
  journalBeforeCommit: { run: { crashes: 1 }, breaks: 'I-4' },
  lateStore: { run: { endlessPauses: true }, breaks: 'I-4' },
  compareSpentVersion: { run: { reconnects: 1 }, breaks: 'I-3' },
  settleTestsAttempt: { run: { reconnects: 1 }, breaks: 'I-5' },
  introspectBeforeReplay: { run: { crashes: 1 }, breaks: 'I-2' },
  quarantineOutlivesPause: { run: { introspection: 'useless' }, breaks: 'I-2' },
  restartGrace: { run: { introspection: 'useless', crashes: 1 }, breaks: 'I-2' },
  quarantineFromLastSend: { run: { introspection: 'useless', crashes: 1, lostAnswers: 1 }, breaks: 'I-2' },
  releaseKeepsUnresolved: { run: { crashes: 1 }, breaks: 'I-2' },
  reconnectBumpsVersion: { run: { reconnects: 1 }, breaks: 'overwritten' },
  disconnectBumpsVersion: { run: { disconnects: 1 }, breaks: 'came back to life' },
  bumpOutranksForgotten: { run: { reconnects: 1, failovers: 1 }, breaks: 'I-4' },
  revokeLatePair: { run: { disconnects: 1 }, breaks: 'left behind' },
  rollForward: { run: { failovers: 1 }, breaks: 'I-6' },
  retainUserChanges: { run: { reconnects: 1, failovers: 1 }, breaks: 'I-4' },
  holdClaimsAfterMassLoss: { run: { failovers: 1 }, breaks: 'I-1' },
  holdClaimsAfterStart: { run: { crashes: 1, failovers: 1 }, breaks: 'I-1' },
  holdOutlivesLease: { run: { failovers: 1 }, breaks: 'I-1' },
  holdOutlivesRestart: { run: { crashes: 1, failovers: 1 }, breaks: 'I-2' },
};

const figures: string[] = [];

describe('the refresh protocol, in every interleaving', () => {
  afterAll(() => {
    process.stdout.write(`\nstates explored:\n${figures.join('\n')}\n\n`);
  });

  it.each(Object.entries(RUNS))('keeps every invariant with %s', (name, run) => {
    const { states, atRest, violation } = explore({ ...NO_FAULTS, ...run }, ALL_GUARDS);
    figures.push(`${String(states).padStart(9)}  ${name}`);
    expect(story(violation)).toBe('no violation');
    expect(states).toBeGreaterThan(1_000);
    expect(atRest).toBeGreaterThan(1);
  });

  it.each(Object.entries(LOSSES))('breaks without %s', (guard, { run, breaks }) => {
    const { violation } = explore({ ...NO_FAULTS, ...run }, without(guard as GuardName));
    expect(story(violation)).toContain(breaks);
  });
});

function story(violation: Exploration['violation']): string {
  if (violation === null) return 'no violation';
  return [violation.invariant, ...violation.trace].join('\n');
}
