import { maskedText } from '../logging/masked-text.js';

/** Where a command writes: standard output, or what stands in for it. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_WIDTH = 30;

/** Tables for people, JSON for programs, and how long work goes on. Nothing that looks like a secret gets through. */
export class Printer {
  constructor(private readonly output: Output) {}

  line(text = ''): void {
    this.output.write(`${maskedText(text)}\n`);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** Columns as wide as their widest cell. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((name, column) =>
      Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
    );
    for (const row of [head, ...rows]) {
      this.line(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    }
  }

  /** A bar that is drawn over on a terminal, else a line each time. */
  progress(done: number, total: number, what: string): void {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const text = `${String(done)} of ${String(total)} ${what}`;
    if (this.output.isTTY !== true) {
      this.line(text);
      return;
    }
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
    this.output.write(`\r${bar} ${text}${share === 1 ? '\n' : ''}`);
  }
}
