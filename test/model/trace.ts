import type { SeenStates } from './explore.js';
import { NOBODY, NOTHING, type ModelState } from './model-state.js';
import { movesFrom } from './moves.js';
import type { Context, Move } from './scenario.js';
import { keyOf } from './state-key.js';

/** The moves to state `index` (and `last` beyond it), replayed from the start so that each process keeps its name. */
export function traceTo(
  { indexes, reachedFrom }: SeenStates,
  first: ModelState,
  context: Context,
  index: number,
  last: Move | null,
): string[] {
  const keys = [...indexes.keys()];
  const path: string[] = last === null ? [] : [keyOf(last.next)];
  for (let at = index; at > 0; at = reachedFrom[at]!) path.unshift(keys[at]!);
  const lines = [`   ${'start'.padEnd(46)} ${summary(first)}`];
  let state = first;
  for (const key of path) {
    const move = movesFrom(state, context).find(({ next }) => keyOf(next) === key)!;
    state = move.next;
    lines.push(`${String(lines.length).padStart(2)} ${described(move).padEnd(46)} ${summary(state)}`);
  }
  return lines;
}

function described({ process, name }: Move): string {
  return process === null ? name : `p${process + 1} ${name}`;
}

/** Tokens as 11, 12, 21: grant and number; `+` before a process's token is a pair in memory, `j` in the journal, `r` retained. */
function summary({ row, upstream, processes }: ModelState): string {
  const attempt = row.attempt === NOBODY ? '' : ` ${row.phase}${row.leaseOver ? ' lease over' : ''}`;
  const stored = `row v${row.version} rt${row.token} ${row.status}${attempt}`;
  const kept = processes.map((process, p) => {
    const marks = [
      process.pending && `+${process.pending.token}`,
      process.journal && `j${process.journal.token}`,
      process.retained && `r${process.retained.token}`,
    ].filter((mark) => mark !== null);
    return `p${p + 1} ${process.up ? process.step : 'down'}${marks.map((mark) => ` ${mark}`).join('')}`;
  });
  const live = upstream.live === NOTHING ? 'revoked' : `live rt${upstream.live}`;
  return [stored, `Notion ${live}`, ...kept].join(' | ');
}
