import { NOBODY, type Kept, type ModelState, type Process } from './model-state.js';
import { move, type Context, type Move } from './scenario.js';

/** Time is only the order of its events. The arithmetic that is checked at startup forbids some orders. */
export function clockMoves(state: ModelState, context: Context, moves: Move[]): void {
  const { row } = state;
  if (row.attempt === NOBODY) return;
  if (row.phase === 'in_flight' && !row.leaseOver && leaseMayEnd(state, context)) {
    moves.push(move(state, 'time', 'the lease is over', null, endLease));
  }
  const isWaiting = row.quarantine === 'running' && (row.leaseOver || row.phase === 'unknown');
  if (isWaiting && quarantineMayEnd(state, context)) {
    moves.push(move(state, 'time', 'the quarantine is over', null, (next) => (next.row.quarantine = 'over')));
  }
}

function leaseMayEnd({ row, processes, orphans }: ModelState, { guards }: Context): boolean {
  if (!guards.leaseOutlivesRequest) return true;
  const owner = processes[row.attempt]!;
  const underWay = owner.step === 'sent' && owner.spentVersion === row.version;
  return !underWay && !orphans.includes(row.token);
}

function endLease(next: ModelState): void {
  const { row, processes } = next;
  row.leaseOver = true;
  if (row.quarantine === 'none') row.quarantine = 'running';
  const owner = processes[row.attempt]!;
  if (!mayStillSend(owner) || owner.spentVersion !== row.version) return;
  processes[row.attempt] = { ...owner, leaseOver: true };
}

function mayStillSend({ step }: Process): boolean {
  return step === 'claimed' || step === 'cleared';
}

function quarantineMayEnd({ row, processes }: ModelState, { guards, scenario }: Context): boolean {
  if (scenario.endlessPauses) return true;
  return processes.every((process) => {
    const brings = (kept: Kept | null) => kept !== null && kept.version > row.version;
    if (!process.up) return !guards.restartGrace || !brings(process.journal);
    const hasAnswer = process.step === 'answered' || brings(process.pending);
    return !guards.quarantineOutlivesPause || !hasAnswer;
  });
}

export function holdMoves(state: ModelState, p: number, context: Context, moves: Move[]): void {
  const process = state.processes[p]!;
  const isForgotten = state.row.attempt !== p || state.row.version !== process.spentVersion;
  if (mayStillSend(process) && !process.leaseOver && isForgotten) {
    moves.push(
      move(state, 'time', 'sees that its forgotten lease is over', p, (_, mover) => (mover.leaseOver = true)),
    );
  }
  if (process.holding && holdMayEnd(state, context)) {
    moves.push(move(state, 'time', 'may claim again', p, (_, mover) => (mover.holding = false)));
  }
}

function holdMayEnd({ row, processes, orphans }: ModelState, { guards }: Context): boolean {
  const newer = (kept: Kept | null) => kept !== null && kept.version > row.version;
  const claimForgotten = (process: Process, p: number) => {
    const stands = row.attempt === p && row.phase === 'in_flight' && !row.leaseOver;
    return (
      process.spentVersion === row.version &&
      !stands &&
      (process.step === 'sent' || mayStillSend(process)) &&
      !process.leaseOver
    );
  };
  if (guards.holdOutlivesLease && (orphans.length > 0 || processes.some(claimForgotten))) return false;
  const brings = ({ step, pending, retained }: Process) =>
    step === 'answered' || newer(pending) || newer(retained);
  if (processes.some((process) => process.up && brings(process))) return false;
  return !guards.holdOutlivesRestart || !processes.some((process) => !process.up && newer(process.journal));
}
