import type { ProtocolGuards } from './guards.js';
import { brokenAtRest, brokenBy, brokenIn } from './invariants.js';
import { initialState, type ModelState } from './model-state.js';
import { movesFrom } from './moves.js';
import type { Context, Move, Scenario } from './scenario.js';
import { keyOf } from './state-key.js';
import { traceTo } from './trace.js';
import { WaysToRest } from './ways-to-rest.js';

export interface Exploration {
  readonly states: number;
  /** States in which nothing more happens by itself. */
  readonly atRest: number;
  readonly violation: Violation | null;
}

export interface Violation {
  readonly invariant: string;
  /** The shortest way there, one line per move. */
  readonly trace: readonly string[];
}

/** Every state that was seen, and how it was first reached. */
export interface SeenStates {
  readonly indexes: Map<string, number>;
  readonly reachedFrom: number[];
}

/** A run that grows beyond this has a budget too many: it would take minutes and prove nothing more. */
const MOST_STATES = 500_000;

/** Breadth first over every interleaving, up to the first violation: the trace it reports is a shortest one. */
export function explore(scenario: Scenario, guards: Readonly<ProtocolGuards>): Exploration {
  const context: Context = { scenario, guards };
  const first = initialState(scenario.processes, scenario);
  const seen: SeenStates = { indexes: new Map([[keyOf(first), 0]]), reachedFrom: [-1] };
  const ways = new WaysToRest();
  let atRest = 0;
  let frontier: ModelState[] = [first];
  let index = 0;
  const found = (invariant: string, from: number, to: Move | null): Exploration => {
    const trace = traceTo(seen, first, context, from, to);
    return { states: seen.indexes.size, atRest, violation: { invariant, trace } };
  };
  while (frontier.length > 0) {
    const next: ModelState[] = [];
    for (const state of frontier) {
      const moves = movesFrom(state, context);
      const broken = brokenIn(state) ?? (isAtRest(moves) ? brokenAtRest(state) : null);
      if (broken !== null) return found(broken, index, null);
      if (isAtRest(moves)) {
        atRest += 1;
        ways.endAt(index);
      }
      for (const move of moves) {
        const brokenMove = brokenBy(state, move);
        if (brokenMove !== null) return found(brokenMove, index, move);
        const target = visit(seen, move.next, index, next);
        if (happensByItself(move)) ways.add(index, target);
      }
      index += 1;
    }
    if (index > MOST_STATES)
      throw new Error(`More than ${MOST_STATES} states: give this run a smaller budget.`);
    frontier = next;
  }
  const stuck = ways.firstWithoutRest(index);
  return stuck === null
    ? { states: index, atRest, violation: null }
    : found('I-6: it never comes to rest', stuck, null);
}

function happensByItself({ kind }: Move): boolean {
  return kind === 'protocol' || kind === 'time';
}

function isAtRest(moves: readonly Move[]): boolean {
  return !moves.some(happensByItself);
}

/** States are numbered in the order in which they are found, which is also the order in which they are expanded. */
function visit(
  { indexes, reachedFrom }: SeenStates,
  state: ModelState,
  from: number,
  next: ModelState[],
): number {
  const key = keyOf(state);
  const known = indexes.get(key);
  if (known !== undefined) return known;
  const index = indexes.size;
  indexes.set(key, index);
  reachedFrom.push(from);
  next.push(state);
  return index;
}
