import type { ProtocolGuards } from './guards.js';
import { NO_ATTEMPT, NO_FLIGHT, NOBODY, type ModelState, type Process, type Row } from './model-state.js';
import { isOutrankedByDisconnect, remember } from './retention.js';
import { move, type Context, type Move } from './scenario.js';
import { canRollForward, revokeRetained, storePair, t13RollForward } from './store-transitions.js';

/** Everything that process `p` may do next. The names T1 to T13 are those of the protocol. */
export function processMoves(state: ModelState, p: number, context: Context): Move[] {
  const process = state.processes[p]!;
  if (!process.up) return [];
  const moves = flightMoves(state, p, process, context);
  if (context.guards.rollForward && canRollForward(state.row, process.retained)) {
    moves.push(t13RollForward(state, p, process.retained));
  }
  if (context.guards.revokeLatePair && isOutrankedByDisconnect(state.row, process.retained)) {
    moves.push(revokeRetained(state, p, process.retained));
  }
  return moves;
}

function flightMoves(state: ModelState, p: number, process: Process, context: Context): Move[] {
  switch (process.step) {
    case 'idle':
      return claims(state, p, process, context.guards);
    case 'claimed':
    case 'cleared':
      return sends(state, p, process, context);
    case 'answered':
      return [readAnswer(state, p)];
    case 'parsed':
      return [writeJournal(state, p, context)];
    case 'storing':
      return [storePair(state, p, process, context)];
    case 'undecided':
      return [t6Unknown(state, p, 'T6 stays unknown, nothing sent', context.guards)];
    case 'unknown':
      return [t6Unknown(state, p, 'T6 outcome unknown', context.guards)];
    case 'dead':
      return [
        needsReconnect(
          state,
          p,
          process.quarantine === 'none' ? 'T5 invalid_grant' : 'T10 invalid_grant',
          context,
        ),
      ];
    case 'lost':
      return [needsReconnect(state, p, 'T9 lost_rotation', context)];
    case 'sent':
      return [];
  }
}

function claims(state: ModelState, p: number, process: Process, guards: Readonly<ProtocolGuards>): Move[] {
  const { row } = state;
  if (row.status !== 'active' || process.holding) return [];
  if (row.attempt === NOBODY) return t1Claim(state, p);
  return row.leaseOver || row.phase === 'unknown' ? [t7TakeOver(state, p, guards)] : [];
}

/** A refresh of a healthy pair is a wish and costs budget; one of a dead pair is only a matter of time. */
function t1Claim(state: ModelState, p: number): Move[] {
  const healthy = state.row.token === state.upstream.live;
  if (healthy && state.left.refreshes === 0) return [];
  const claim = move(state, healthy ? 'wish' : 'protocol', 'T1 claim', p, (next, mover) => {
    if (healthy) next.left.refreshes -= 1;
    next.row = { ...next.row, ...NO_ATTEMPT, attempt: p };
    beginFlight(mover, next.row);
  });
  return [claim];
}

function t7TakeOver(state: ModelState, p: number, guards: Readonly<ProtocolGuards>): Move {
  return move(state, 'protocol', 'T7 take over', p, (next, mover) => {
    beginFlight(mover, next.row);
    mover.quarantine = next.row.quarantine === 'over' ? 'over' : 'running';
    // Should this process die now, nobody can tell whether it had sent: the quarantine begins anew.
    const quarantine = guards.quarantineFromLastSend ? 'running' : mover.quarantine;
    next.row = { ...next.row, ...NO_ATTEMPT, attempt: p, quarantine };
  });
}

function beginFlight(mover: Process, row: Row): void {
  mover.step = 'claimed';
  mover.spentVersion = row.version;
  mover.spentToken = row.token;
}

function sends(state: ModelState, p: number, process: Process, { guards, scenario }: Context): Move[] {
  if (guards.selfFence && process.leaseOver) return [t2GiveUp(state, p, guards)];
  const mayReplay =
    process.quarantine === 'none' || process.step === 'cleared' || !guards.introspectBeforeReplay;
  if (mayReplay) return [move(state, 'protocol', 'sends', p, (_, mover) => (mover.step = 'sent'))];
  const looks = [];
  if (scenario.introspection !== 'useless') looks.push(introspect(state, p, process));
  if (scenario.introspection !== 'answers') looks.push(t10IntrospectInVain(state, p, process));
  return looks;
}

/** T2 and T3: the token is unspent. */
function t2GiveUp(state: ModelState, p: number, guards: Readonly<ProtocolGuards>): Move {
  return move(state, 'protocol', 'T2 self-fence, gives the claim back', p, (next, mover) => {
    if (isOwnAttempt(next, p)) {
      const unresolved = mover.quarantine !== 'none' && guards.releaseKeepsUnresolved;
      next.row = unresolved
        ? { ...next.row, phase: 'unknown', leaseOver: false, quarantine: mover.quarantine }
        : { ...next.row, ...NO_ATTEMPT };
    }
    Object.assign(mover, NO_FLIGHT);
  });
}

/** T8 and T9, decided by introspection. */
function introspect(state: ModelState, p: number, { spentToken, quarantine }: Process): Move {
  const active = spentToken === state.upstream.live;
  const step = active ? 'cleared' : quarantine === 'over' ? 'lost' : 'undecided';
  const name = active ? 'T8 introspection: active' : 'introspection: inactive';
  return move(state, 'protocol', name, p, (_, mover) => (mover.step = step));
}

function t10IntrospectInVain(state: ModelState, p: number, { quarantine }: Process): Move {
  const step = quarantine === 'over' ? 'cleared' : 'undecided';
  return move(state, 'protocol', 'T10 introspection: useless', p, (_, mover) => (mover.step = step));
}

function readAnswer(state: ModelState, p: number): Move {
  return move(state, 'protocol', 'reads its answer', p, (_, mover) => {
    mover.step = 'parsed';
    mover.pending = { version: mover.spentVersion + 1, token: mover.spentToken + 1 };
  });
}

function writeJournal(state: ModelState, p: number, context: Context): Move {
  const first = context.scenario.journal && context.guards.journalBeforeCommit;
  return move(state, 'protocol', first ? 'journals the pair' : 'begins to store the pair', p, (_, mover) => {
    mover.step = 'storing';
    if (first) remember(mover, mover.pending!, 'journal', context);
  });
}

/** The settlement returns the row to `unknown`; the quarantine is the one that this attempt leaves behind. */
function t6Unknown(state: ModelState, p: number, name: string, guards: Readonly<ProtocolGuards>): Move {
  return move(state, 'protocol', name, p, (next, mover) => {
    if (isOwnAttempt(next, p) || !guards.settleTestsAttempt) {
      const sentAnew =
        mover.step === 'unknown' && (guards.quarantineFromLastSend || mover.quarantine === 'none');
      const quarantine = sentAnew ? 'running' : mover.quarantine;
      next.row = { ...next.row, attempt: p, phase: 'unknown', leaseOver: false, quarantine };
    }
    Object.assign(mover, NO_FLIGHT);
  });
}

function needsReconnect(state: ModelState, p: number, name: string, { guards }: Context): Move {
  return move(state, 'protocol', name, p, (next, mover) => {
    if (isOwnAttempt(next, p) || !guards.settleTestsAttempt) {
      next.row = { ...next.row, ...NO_ATTEMPT, status: 'needs_reconnect' };
    }
    Object.assign(mover, NO_FLIGHT);
  });
}

/** The guard of every settlement: `attempt = me` and the version that the claim was for. */
function isOwnAttempt({ row, processes }: ModelState, p: number): boolean {
  return row.attempt === p && row.phase === 'in_flight' && row.version === processes[p]!.spentVersion;
}
