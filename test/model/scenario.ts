import type { ProtocolGuards } from './guards.js';
import { copyOf, type Budget, type ModelState, type Process } from './model-state.js';

/** What one run of the search explores. */
export interface Scenario extends Budget {
  readonly processes: number;
  /** `useless`: Notion refuses to introspect refresh tokens. `either`: sometimes one, sometimes the other. */
  readonly introspection: 'answers' | 'useless' | 'either';
  /** Whether a folder for the journal is given. */
  readonly journal: boolean;
  /** Processes may stand still for longer than the quarantine (SIGSTOP, a frozen machine). */
  readonly endlessPauses: boolean;
}

export const NO_FAULTS: Scenario = {
  processes: 2,
  refreshes: 3,
  crashes: 0,
  lostAnswers: 0,
  reconnects: 0,
  disconnects: 0,
  failovers: 0,
  introspection: 'answers',
  journal: true,
  endlessPauses: false,
};

export interface Context {
  readonly guards: Readonly<ProtocolGuards>;
  readonly scenario: Scenario;
}

/**
 * Who moves. `protocol` and `time` happen sooner or later; a `fault` may happen or not; a `wish` is a refresh that
 * somebody asks for or something the person does.
 */
export type Kind = 'protocol' | 'time' | 'fault' | 'wish';

export interface Move {
  readonly kind: Kind;
  readonly name: string;
  /** Index of the process that moves; `null` for the world around them. */
  readonly process: number | null;
  readonly next: ModelState;
}

/** One thing that can happen in `state`: `change` writes it into a copy. */
export function move(
  state: ModelState,
  kind: Kind,
  name: string,
  process: number | null,
  change: (next: ModelState, mover: Process) => void,
): Move {
  const next = copyOf(state, process ?? 0);
  change(next, next.processes[process ?? 0]!);
  return { kind, name, process, next };
}
