import type { Clock } from './clock.js';
import { MINUTE_MS } from './duration.js';

/** How many equal lines are written, and when they count as equal. */
export interface LineLimits {
  /** Equal lines written within {@link LineLimits.perMs}; the others are counted. */
  readonly atMost: number;
  readonly perMs: number;
  /** Kinds of lines that are told apart at once. */
  readonly kinds: number;
}

const DEFAULTS: LineLimits = { atMost: 20, perMs: MINUTE_MS, kinds: 500 };

interface Kind {
  windowEndsMs: number;
  written: number;
  suppressed: number;
}

export type LineVerdict =
  | { readonly write: false }
  | {
      readonly write: true;
      /** Lines of this kind that were not written since the last one that was. */
      readonly suppressed: number;
    };

/**
 * Keeps a failure that repeats from flooding the log: so many of a kind are written in a while, the next one after
 * them says how many were not. Nothing is lost from the count.
 */
export class RepeatedLines {
  private readonly known = new Map<string, Kind>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly limits: LineLimits = DEFAULTS,
  ) {}

  /** @param kind - What makes lines equal: the event and its outcome, not whom it is about. */
  admit(kind: string): LineVerdict {
    const nowMs = this.clock.monotonicMs();
    const known = this.kindOf(kind, nowMs);
    if (nowMs >= known.windowEndsMs) {
      known.windowEndsMs = nowMs + this.limits.perMs;
      known.written = 0;
    }
    if (known.written >= this.limits.atMost) {
      known.suppressed += 1;
      return { write: false };
    }
    known.written += 1;
    const { suppressed } = known;
    known.suppressed = 0;
    return { write: true, suppressed };
  }

  /** What was counted and not yet told, for the last line of a process; the counts begin anew. */
  drain(): ReadonlyMap<string, number> {
    const left = [...this.known].filter(([, { suppressed }]) => suppressed > 0);
    this.known.clear();
    return new Map(left.map(([kind, { suppressed }]) => [kind, suppressed]));
  }

  private kindOf(kind: string, nowMs: number): Kind {
    const known = this.known.get(kind);
    if (known !== undefined) return known;
    // Beyond the bound all further kinds share one count: too much is written of none of them.
    const name = this.known.size < this.limits.kinds || this.forgetOne(nowMs) ? kind : '';
    const begun = this.known.get(name) ?? {
      windowEndsMs: nowMs + this.limits.perMs,
      written: 0,
      suppressed: 0,
    };
    this.known.set(name, begun);
    return begun;
  }

  /** Only what has nothing left to tell may be forgotten. */
  private forgetOne(nowMs: number): boolean {
    for (const [kind, { windowEndsMs, suppressed }] of this.known) {
      if (suppressed === 0 && windowEndsMs <= nowMs) return this.known.delete(kind);
    }
    return false;
  }
}
