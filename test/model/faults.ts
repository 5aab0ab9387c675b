import { NO_FLIGHT, type ModelState, type Process } from './model-state.js';
import { move, type Context, type Move } from './scenario.js';
import { rotate } from './upstream.js';

export function notionMoves(state: ModelState, p: number, { guards }: Context, moves: Move[]): void {
  const { step } = state.processes[p]!;
  if (step === 'sent') {
    moves.push(
      move(state, 'protocol', 'is answered by Notion', p, (next, mover) => {
        mover.step = rotate(next, mover.spentToken) ? 'answered' : 'dead';
      }),
    );
    if (state.left.lostAnswers > 0) moves.push(loseAnswer(state, p, 'request is lost on the way'));
  }
  if (step !== 'answered') return;
  if (state.left.lostAnswers > 0) moves.push(loseAnswer(state, p, 'answer is lost on the way'));
  if (!guards.twoStepDeadline) {
    const name = 'wakes after its deadline and drops the answer';
    moves.push(move(state, 'protocol', name, p, (_, mover) => (mover.step = 'unknown')));
  }
}

function loseAnswer(state: ModelState, p: number, name: string): Move {
  return move(state, 'fault', name, p, (next, mover) => {
    next.left.lostAnswers -= 1;
    if (mover.step === 'answered') next.hitInWindow = mover.spentToken;
    mover.step = 'unknown';
  });
}

export function crashMoves(state: ModelState, p: number, context: Context, moves: Move[]): void {
  const process = state.processes[p]!;
  if (!process.up) {
    moves.push(
      move(state, 'protocol', 'restarts', p, (next, mover) => {
        restart(next, mover, context);
      }),
    );
  } else if (state.left.crashes > 0) {
    moves.push(
      move(state, 'fault', `is killed while ${process.step}`, p, (next, mover) => {
        crash(next, mover, context);
      }),
    );
  }
}

function crash(next: ModelState, mover: Process, { scenario }: Context): void {
  next.left.crashes -= 1;
  if (mover.step === 'sent') next.orphans = [...next.orphans, mover.spentToken];
  if (isInWindow(mover, next, scenario.journal)) next.hitInWindow = mover.spentToken;
  Object.assign(mover, NO_FLIGHT, { up: false, retained: null, holding: false });
}

/** Between Notion's processing and the first durable byte: the journal's where there is one, else the commit's. */
function isInWindow({ step, pending }: Process, { row }: ModelState, hasJournal: boolean): boolean {
  if (step === 'answered' || step === 'parsed') return true;
  return step === 'storing' && !hasJournal && row.version < pending!.version;
}

/** A restarted process brings its journal, if it has one: T4 or T13, whichever the row allows. */
function restart(next: ModelState, mover: Process, { guards }: Context): void {
  mover.up = true;
  // Before the first failover a hold at start would change nothing but the size of the search.
  mover.holding = guards.holdClaimsAfterStart && next.failedOver;
  if (mover.journal === null) return;
  mover.step = 'storing';
  mover.pending = mover.journal;
  mover.spentVersion = mover.journal.version - 1;
  mover.spentToken = mover.journal.token - 1;
}

/** A request whose sender died may still be processed, and then its pair is nobody's; or it was never received. */
export function orphanMoves(state: ModelState, moves: Move[]): void {
  if (state.orphans.length === 0) return;
  const [oldest, ...others] = state.orphans;
  moves.push(
    move(state, 'protocol', 'Notion answers a dead process', null, (next) => {
      next.orphans = others;
      if (rotate(next, oldest!)) next.hitInWindow = oldest!;
    }),
    move(
      state,
      'protocol',
      "a dead process's request is never received",
      null,
      (next) => (next.orphans = others),
    ),
  );
}

/** The standby follows at its own pace; a failover makes it the primary and forgets what it had not yet. */
export function standbyMoves(state: ModelState, { guards }: Context, moves: Move[]): void {
  if (state.left.failovers === 0 || isSameRow(state)) return;
  moves.push(
    move(state, 'time', 'the standby catches up', null, (next) => (next.standby = { ...next.row })),
    move(state, 'fault', 'the database fails over and forgets', null, (next) => {
      next.left.failovers -= 1;
      next.failedOver = true;
      next.row = { ...next.standby };
      const holds = (process: Process) => process.up && guards.holdClaimsAfterMassLoss;
      next.processes = next.processes.map((process) => ({ ...process, holding: holds(process) }));
    }),
  );
}

function isSameRow({ row, standby }: ModelState): boolean {
  return (Object.keys(row) as (keyof typeof row)[]).every((column) => row[column] === standby[column]);
}
