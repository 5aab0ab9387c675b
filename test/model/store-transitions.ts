import type { ProtocolGuards } from './guards.js';
import {
  NO_ATTEMPT,
  NO_FLIGHT,
  NOTHING,
  type Kept,
  type ModelState,
  type Process,
  type Row,
} from './model-state.js';
import { remember } from './retention.js';
import { move, type Context, type Move } from './scenario.js';
import { revoke } from './upstream.js';

/** T4 where it applies, else T13, else the answer to why not. */
export function storePair(
  state: ModelState,
  p: number,
  process: Process,
  { guards, scenario }: Context,
): Move {
  const { row } = state;
  const pending = process.pending!;
  if (t4Applies(row, p, pending, guards)) {
    return move(state, 'protocol', 'T4 store pair', p, (next) => {
      write(next, pending);
    });
  }
  // The version went back below the one that was spent: only a failover does that.
  if (guards.rollForward && row.version < pending.version - 1) return t13RollForward(state, p, pending);
  if (isStored(row, pending)) {
    return move(state, 'protocol', 'sees its pair stored', p, (next, mover) => {
      remember(mover, pending, 'retained', { guards, scenario });
      Object.assign(mover, NO_FLIGHT);
    });
  }
  return dropLatePair(state, p, pending, guards);
}

function t4Applies(row: Row, p: number, pending: Kept, guards: Readonly<ProtocolGuards>): boolean {
  if (isStored(row, pending)) return false;
  const versionStands = row.version === pending.version - 1 || !guards.compareSpentVersion;
  const asksForMore = !guards.lateStore && (row.attempt !== p || row.status !== 'active');
  return versionStands && !asksForMore;
}

/** The same change, or a later one of the same line: versions of one line share their tens. */
function isStored(row: Row, pending: Kept): boolean {
  if (row.version === pending.version) return row.token === pending.token;
  return row.version > pending.version && Math.floor(row.version / 10) === Math.floor(pending.version / 10);
}

function dropLatePair(state: ModelState, p: number, pending: Kept, guards: Readonly<ProtocolGuards>): Move {
  const revokes = guards.revokeLatePair && state.row.status === 'disconnected';
  return move(
    state,
    'protocol',
    revokes ? 'revokes its late pair' : 'drops its late pair',
    p,
    (next, mover) => {
      if (revokes) revoke(next, pending.token);
      Object.assign(mover, NO_FLIGHT);
      if (mover.journal?.version === pending.version) mover.journal = null;
    },
  );
}

export function canRollForward(row: Row, retained: Kept | null): retained is Kept {
  return retained !== null && row.version < retained.version;
}

export function t13RollForward(state: ModelState, p: number, kept: Kept): Move {
  return move(state, 'protocol', 'T13 roll forward', p, (next) => {
    // A disconnect that is applied again revokes again: pairs may have been stored while it was forgotten.
    if (kept.token === NOTHING && next.row.token !== NOTHING) next.outbox = [...next.outbox, next.row.token];
    write(next, kept);
  });
}

export function revokeRetained(state: ModelState, p: number, kept: Kept): Move {
  return move(state, 'protocol', 'revokes its retained pair', p, (next, mover) => {
    revoke(next, kept.token);
    mover.retained = null;
  });
}

/** Writes a kept change over the row; whatever was under way on the old version is over. */
function write(next: ModelState, { version, token }: Kept): void {
  const status = token === NOTHING ? 'disconnected' : 'active';
  next.row = { version, token, status, ...NO_ATTEMPT };
  if (token === next.hitInWindow + 1) next.hitInWindow = NOTHING;
}
