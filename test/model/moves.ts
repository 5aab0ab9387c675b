import { crashMoves, notionMoves, orphanMoves, standbyMoves } from './faults.js';
import type { ModelState } from './model-state.js';
import { personMoves } from './person.js';
import { forgetWhatIsSafe } from './retention.js';
import type { Context, Move } from './scenario.js';
import { clockMoves, holdMoves } from './time.js';
import { processMoves } from './transitions.js';

/** Everything that can happen next: a process moves, Notion answers, time passes, something breaks, the person acts. */
export function movesFrom(state: ModelState, context: Context): Move[] {
  const moves: Move[] = [];
  for (let p = 0; p < state.processes.length; p += 1) {
    notionMoves(state, p, context, moves);
    crashMoves(state, p, context, moves);
    personMoves(state, p, context, moves);
    holdMoves(state, p, context, moves);
    moves.push(...processMoves(state, p, context));
  }
  orphanMoves(state, moves);
  clockMoves(state, context, moves);
  standbyMoves(state, context, moves);
  for (const { next } of moves) forgetWhatIsSafe(next);
  return moves;
}
