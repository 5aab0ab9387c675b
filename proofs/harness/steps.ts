/**
 * Where a refresh can be cut off.
 *
 * - `after_claim`: claimed, nothing sent.
 * - `on_the_wire`: the request has left, `delayMs` ago.
 * - `after_answer`: the answer is here and parsed, and nowhere durable.
 * - `after_journal`: in the journal (where there is one), not in the database.
 * - `after_commit`: in the database; nothing cleaned up.
 */
export const STEPS = ['after_claim', 'on_the_wire', 'after_answer', 'after_journal', 'after_commit'] as const;
export type Step = (typeof STEPS)[number];

export interface KillOrder {
  readonly step: Step;
  /** How often the step is passed unharmed before. @defaultValue `0` */
  readonly skip?: number;
  /** For `on_the_wire`: how long after the request began. @defaultValue `3` */
  readonly delayMs?: number;
}

/** Kills this very process (SIGKILL) when the step it is armed for is reached. */
export class KillSwitch {
  private order: KillOrder | null = null;
  private toSkip = 0;
  readonly reached: Record<string, number> = {};

  arm(order: KillOrder | null): void {
    this.order = order;
    this.toSkip = order?.skip ?? 0;
  }

  reach(step: Step): void {
    this.reached[step] = (this.reached[step] ?? 0) + 1;
    if (this.isDue(step)) die();
  }

  /** The request begins now; unless its answer comes first, the process is gone when the delay is over. */
  reachOnTheWire(): () => void {
    this.reached['on_the_wire'] = (this.reached['on_the_wire'] ?? 0) + 1;
    if (!this.isDue('on_the_wire')) return () => undefined;
    const timer = setTimeout(die, this.order?.delayMs ?? 3);
    return () => {
      clearTimeout(timer);
    };
  }

  private isDue(step: Step): boolean {
    if (this.order?.step !== step) return false;
    this.toSkip -= 1;
    return this.toSkip < 0;
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
