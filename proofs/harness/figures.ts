/** What a figure must be for the proof to hold. */
export type Bound =
  | { readonly equals: number }
  | { readonly atMost: number }
  | { readonly below: number }
  | { readonly atLeast: number };

export interface Figure {
  /** What was measured, in a few words; the same words in every run. */
  readonly figure: string;
  readonly value: number;
  /** @defaultValue a plain count */
  readonly unit?: string;
  /** Without one the figure is told and proves nothing. */
  readonly bound?: Bound;
  /** The bound is one of speed, so what else the machine does counts too. */
  readonly isSpeed?: boolean;
}

export function holds(value: number, bound: Bound): boolean {
  if ('equals' in bound) return value === bound.equals;
  if ('atMost' in bound) return value <= bound.atMost;
  if ('below' in bound) return value < bound.below;
  return value >= bound.atLeast;
}

export function describeBound(bound: Bound): string {
  if ('equals' in bound) return `= ${bound.equals}`;
  if ('atMost' in bound) return `<= ${bound.atMost}`;
  if ('below' in bound) return `< ${bound.below}`;
  return `>= ${bound.atLeast}`;
}

/** Collects figures: one JSON line each as they come, a table for people at the end. */
export class FigureReport {
  private readonly figures: Figure[] = [];

  constructor(
    private readonly context: Readonly<Record<string, string | number>>,
    /** Whether a missed bound of speed is told and not held against this machine. */
    private readonly isMachineShared = false,
  ) {}

  add({ figure, value, unit = 'count', bound, isSpeed }: Figure): void {
    const told = { figure, value: rounded(value), unit, bound, isSpeed };
    this.figures.push(told);
    const line = {
      ...this.context,
      figure,
      value: told.value,
      unit,
      bound: bound === undefined ? null : describeBound(bound),
      ok: bound === undefined || holds(told.value, bound),
      ...(this.isOnlyTold(told) ? { onlyTold: true } : {}),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  get held(): number {
    return this.bounded(true);
  }

  get missed(): number {
    return this.bounded(false);
  }

  /** The table, and the plain last line. */
  print(extraFailures: number): void {
    const rows = this.figures.map((told) => [
      this.markOf(told),
      told.figure,
      `${told.value}${told.unit === 'count' || told.unit === undefined ? '' : ` ${told.unit}`}`,
      told.bound === undefined ? '' : describeBound(told.bound),
    ]);
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 0);
    const widths = [0, 1, 2].map(width);
    const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '));
    process.stdout.write(
      `\n${lines.join('\n')}\n\n${this.held} passed, ${this.missed + extraFailures} failed\n`,
    );
  }

  private bounded(ok: boolean): number {
    return this.figures.filter(
      (told) => !this.isOnlyTold(told) && told.bound !== undefined && holds(told.value, told.bound) === ok,
    ).length;
  }

  private isOnlyTold({ isSpeed = false }: Figure): boolean {
    return isSpeed && this.isMachineShared;
  }

  private markOf(told: Figure): string {
    if (told.bound === undefined) return ' ';
    if (holds(told.value, told.bound)) return '✓';
    return this.isOnlyTold(told) ? '!' : '✗';
  }
}

/** Three decimals are more than a shared machine can tell apart. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
