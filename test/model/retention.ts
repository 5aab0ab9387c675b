import { newest, NOTHING, type Kept, type ModelState, type Process, type Row } from './model-state.js';
import type { Context } from './scenario.js';

/** Keeps a change beside the row: in the journal, or retained after its commit (and then in both, R10 and §7.7). */
export function remember(
  mover: Process,
  kept: Kept,
  where: 'journal' | 'retained',
  { scenario }: Context,
): void {
  if (scenario.journal) mover.journal = newest(mover.journal, kept);
  if (where === 'retained') mover.retained = newest(mover.retained, kept);
}

/**
 * Retention outlasts the standby's lag: what no failover can take back any more need not be kept. Clearing it at
 * once instead of later keeps the search small and takes nothing away: T13 would do nothing with it.
 */
export function forgetWhatIsSafe(state: ModelState): void {
  const { row, standby, left, processes } = state;
  const safeVersion = left.failovers > 0 ? Math.min(row.version, standby.version) : row.version;
  processes.forEach((process, p) => {
    const { up, step, journal, retained } = process;
    const dropRetained = isSafe(retained, safeVersion) && !isOutrankedByDisconnect(row, retained);
    const dropJournal = isSafe(journal, safeVersion) && up && step !== 'storing';
    if (dropRetained) processes[p] = { ...process, retained: null };
    if (dropJournal) processes[p] = { ...processes[p]!, journal: null };
  });
}

function isSafe(kept: Kept | null, safeVersion: number): boolean {
  return kept !== null && kept.version <= safeVersion;
}

/** A failover may have hidden this pair from the disconnect, which then could not revoke it. */
export function isOutrankedByDisconnect(row: Row, retained: Kept | null): retained is Kept {
  return (
    row.status === 'disconnected' &&
    retained !== null &&
    retained.token !== NOTHING &&
    retained.version < row.version
  );
}
