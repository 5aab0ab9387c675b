import { grantOf, NO_ATTEMPT, NOTHING, type Kept, type ModelState, type Process } from './model-state.js';
import { remember } from './retention.js';
import { move, type Context, type Move } from './scenario.js';
import { authorizeAgain, revoke } from './upstream.js';

export function personMoves(state: ModelState, p: number, context: Context, moves: Move[]): void {
  if (!state.processes[p]!.up) return;
  if (p === 0 && state.left.reconnects > 0 && state.callback === NOTHING) {
    moves.push(
      move(state, 'wish', 'the person consents again', null, (next) => {
        next.left.reconnects -= 1;
        next.callback = authorizeAgain(next);
      }),
    );
  }
  if (state.callback !== NOTHING) moves.push(t11Reconnect(state, p, context));
  if (state.left.disconnects > 0 && state.row.status !== 'disconnected')
    moves.push(t12Disconnect(state, p, context));
  if (p === 0 && state.outbox.length > 0) {
    moves.push(
      move(state, 'protocol', 'the disconnected grant is revoked', null, (next) => {
        for (const token of next.outbox) revoke(next, token);
        next.outbox = [];
      }),
    );
  }
}

function t11Reconnect(state: ModelState, p: number, context: Context): Move {
  return move(state, 'protocol', 'T11 reconnect', p, (next, mover) => {
    const version = context.guards.reconnectBumpsVersion ? bumped(next, context) : next.row.version;
    decide(next, mover, { version, token: next.callback }, context);
    next.callback = NOTHING;
  });
}

function t12Disconnect(state: ModelState, p: number, context: Context): Move {
  return move(state, 'wish', 'T12 disconnect', p, (next, mover) => {
    next.left.disconnects -= 1;
    // Its own records of the grant give way to the disconnect's: what they hold is revoked with it.
    const tokens = [next.row, mover.journal, mover.retained].map((holder) => holder?.token ?? NOTHING);
    next.outbox = tokens.filter((token) => token !== NOTHING);
    const version = context.guards.disconnectBumpsVersion ? bumped(next, context) : next.row.version;
    decide(next, mover, { version, token: NOTHING }, context);
  });
}

function bumped(next: ModelState, { guards }: Context): number {
  next.changes += 1;
  return guards.bumpOutranksForgotten ? next.changes * 10 : next.row.version + 1;
}

function decide(next: ModelState, mover: Process, kept: Kept, context: Context): void {
  const connected = kept.token !== NOTHING;
  next.row = { ...kept, status: connected ? 'active' : 'disconnected', ...NO_ATTEMPT };
  next.decidedGrant = grantOf(kept.token);
  if (connected) next.hitInWindow = NOTHING;
  if (context.guards.retainUserChanges) remember(mover, kept, 'retained', context);
}
