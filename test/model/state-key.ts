import { STEPS, type Kept, type ModelState, type Process, type Row } from './model-state.js';

const STATUSES = ['active', 'needs_reconnect', 'disconnected'] as const;
const QUARANTINES = ['none', 'running', 'over'] as const;

/** Whose claim stands in the row and in the standby's: nobody's, the row's, the standby's, both. */
const CLAIMS = ['-', 'r', 's', 'b'] as const;

const processKeys = new WeakMap<Readonly<Process>, string>();

/**
 * A state as a short string, one character per number. Processes are interchangeable, so they are sorted: states
 * that differ only in who is who have the same key.
 */
export function keyOf(state: ModelState): string {
  const { upstream, left, row, standby } = state;
  const world = [
    upstream.live,
    upstream.grants,
    state.callback,
    state.decidedGrant,
    state.changes,
    state.hitInWindow,
    Number(state.replayedWhileHeld) + 2 * Number(state.failedOver),
    left.refreshes,
    left.crashes,
    left.lostAnswers,
    left.reconnects * 9 + left.disconnects * 3 + left.failovers,
    ...rowNumbers(row),
    ...(left.failovers > 0 ? rowNumbers(standby) : []),
    ...state.orphans,
    0,
    ...state.outbox,
  ];
  const processes = state.processes.map(
    (process, p) =>
      keyOfProcess(process) + CLAIMS[Number(row.attempt === p) + 2 * Number(standby.attempt === p)]!,
  );
  return characters(world) + processes.sort().join('');
}

function rowNumbers({ version, token, status, phase, leaseOver, quarantine }: Readonly<Row>): number[] {
  const flags = Number(phase === 'unknown') + 2 * Number(leaseOver) + 4 * QUARANTINES.indexOf(quarantine);
  return [version, token, STATUSES.indexOf(status) + 3 * flags];
}

/** Most moves leave most processes as they are. */
function keyOfProcess(process: Readonly<Process>): string {
  let key = processKeys.get(process);
  if (key === undefined) {
    key = characters(processNumbers(process));
    processKeys.set(process, key);
  }
  return key;
}

function processNumbers(process: Readonly<Process>): number[] {
  const flags = Number(process.up) + 2 * Number(process.leaseOver) + 4 * Number(process.holding);
  return [
    STEPS.indexOf(process.step),
    flags + 8 * QUARANTINES.indexOf(process.quarantine),
    process.spentVersion,
    process.spentToken,
    ...keptNumbers(process.pending),
    ...keptNumbers(process.journal),
    ...keptNumbers(process.retained),
  ];
}

function keptNumbers(kept: Kept | null): number[] {
  return kept === null ? [0, 0] : [kept.version, kept.token];
}

/** Offset so that no number is a control character. */
function characters(numbers: readonly number[]): string {
  return String.fromCharCode(...numbers.map((number) => number + 48));
}
