/**
 * What the model knows of the world: one authorization's row, the processes that share it, and Notion.
 *
 * Tokens and versions are small numbers that say their own history. A refresh token is `10 × grant + n`: 11 is the
 * first of the first grant, 12 its successor, 21 the first after the person connected again. A version is
 * `10 × changes + n`, where `changes` counts what the person did (connect again, disconnect) and `n` the pairs
 * stored since.
 */
export type Token = number;
export type Version = number;

export const NOTHING = 0;
export const NOBODY = -1;

export type Status = 'active' | 'needs_reconnect' | 'disconnected';

/** Whether an earlier attempt is unresolved, and whether its quarantine (R14) still lasts. */
export type Quarantine = 'none' | 'running' | 'over';

export interface Row {
  version: Version;
  /** The stored refresh token, `NOTHING` after a disconnect. */
  token: Token;
  status: Status;
  /** The process whose claim stands, or `NOBODY`. */
  attempt: number;
  phase: 'in_flight' | 'unknown';
  leaseOver: boolean;
  quarantine: Quarantine;
}

/** A stored change as it is remembered beside the row: in the journal or retained. `NOTHING` as token: a disconnect. */
export interface Kept {
  readonly version: Version;
  readonly token: Token;
}

/**
 * Where a process stands in its one flight.
 *
 * - `claimed`, `cleared`: holds the claim; `cleared` when introspection or quarantine allow a replay.
 * - `sent`: the request has not been processed. `answered`: it has, and the pair waits in the kernel.
 * - `parsed`: the pair is in memory and nowhere else. `storing`: the commit is tried until it succeeds (R12).
 * - `undecided`, `unknown`, `dead`, `lost`: about to settle as T6 (nothing sent), T6 (sent), T5 or T10, T9.
 */
export const STEPS = [
  'idle',
  'claimed',
  'cleared',
  'sent',
  'answered',
  'parsed',
  'storing',
  'undecided',
  'unknown',
  'dead',
  'lost',
] as const;
export type Step = (typeof STEPS)[number];

export interface Process {
  up: boolean;
  step: Step;
  /** What the claim is about: the version and the refresh token read with it. */
  spentVersion: Version;
  spentToken: Token;
  /** The quarantine as it stood when the claim was taken over; `none` when nothing was unresolved. */
  quarantine: Quarantine;
  /** Its own lease is over by its own monotonic clock. */
  leaseOver: boolean;
  /** The answer in memory. */
  pending: Kept | null;
  /** The newest record on its disk; survives a crash. */
  journal: Kept | null;
  /** The newest change it has committed, kept in memory to be rolled forward. */
  retained: Kept | null;
  /** Claims nothing, because a failover may have just happened (R18). */
  holding: boolean;
}

export interface Upstream {
  /** The one refresh token that Notion accepts; `NOTHING` when the grant is revoked. */
  live: Token;
  grants: number;
}

/** What may still go wrong or be asked for in this run. */
export interface Budget {
  refreshes: number;
  crashes: number;
  lostAnswers: number;
  reconnects: number;
  disconnects: number;
  failovers: number;
}

export interface ModelState {
  upstream: Upstream;
  row: Row;
  /** The row as the standby has it; a failover goes back to it. */
  standby: Readonly<Row>;
  processes: Readonly<Process>[];
  /** Refresh tokens in requests that are on their way although their sender is dead. */
  orphans: readonly Token[];
  /** The pair of a person who is just coming back from Notion. */
  callback: Token;
  /** Refresh tokens that a disconnect still has to revoke at Notion. */
  outbox: readonly Token[];
  /** What the person did last: the grant they connected, or `NOTHING` for a disconnect. */
  decidedGrant: number;
  changes: number;
  left: Budget;
  failedOver: boolean;
  /** A fault hit between Notion's processing of this token and our first durable byte: its successor may be lost. */
  hitInWindow: Token;
  /** A spent token was processed while its living successor was in our hands (I-2). */
  replayedWhileHeld: boolean;
}

export const NO_ATTEMPT = {
  attempt: NOBODY,
  phase: 'in_flight',
  leaseOver: false,
  quarantine: 'none',
} as const;

export function initialState(processes: number, budget: Budget): ModelState {
  const row: Row = { version: 1, token: 11, status: 'active', ...NO_ATTEMPT };
  return {
    upstream: { live: 11, grants: 1 },
    row,
    standby: { ...row },
    processes: Array.from({ length: processes }, idleProcess),
    orphans: [],
    callback: NOTHING,
    outbox: [],
    decidedGrant: 1,
    changes: 0,
    left: { ...budget },
    failedOver: false,
    hitInWindow: NOTHING,
    replayedWhileHeld: false,
  };
}

export function idleProcess(): Process {
  return { up: true, journal: null, retained: null, holding: false, ...NO_FLIGHT };
}

/** What a process forgets when its flight ends. */
export const NO_FLIGHT = {
  step: 'idle',
  spentVersion: NOTHING,
  spentToken: NOTHING,
  quarantine: 'none',
  leaseOver: false,
  pending: null,
} as const;

/** A copy in which the row, Notion, the budget and the process `mover` may be changed; the rest is shared. */
export function copyOf(state: ModelState, mover: number): ModelState {
  const processes = [...state.processes];
  processes[mover] = { ...processes[mover]! };
  return {
    ...state,
    upstream: { ...state.upstream },
    row: { ...state.row },
    processes,
    left: { ...state.left },
  };
}

export function grantOf(token: Token): number {
  return Math.floor(token / 10);
}

/** Whether we have `token` anywhere: in the row, in memory, in an answer that arrived, on a disk. */
export function isHeld(state: ModelState, token: Token): boolean {
  if (state.row.token === token || state.callback === token) return true;
  return state.processes.some(
    (process) =>
      (process.step === 'answered' && process.spentToken + 1 === token) ||
      [process.pending, process.journal, process.retained].some((kept) => kept?.token === token),
  );
}

/** The one that outranks the other. */
export function newest(one: Kept | null, other: Kept): Kept {
  return one !== null && one.version > other.version ? one : other;
}
