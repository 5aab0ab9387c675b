import { maskedText } from '../logging/masked-text.js';

/** Where a command writes: standard output, or what stands in for it. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\u001b[K';
/** Without a terminal, whoever keeps the output does not want a line for each batch. */
const PLAIN_EVERY_MS = 2_000;
/** Names come from Notion and from whoever is connected: what moves a terminal's cursor or turns text around stays out. */
const CONTROLS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** Tables for people, JSON for programs, and how long work goes on. Nothing that looks like a secret gets through. */
export class Printer {
  private hasOpenBar = false;
  private drawn = '';
  private plainSinceMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly output: Output) {}

  line(text = ''): void {
    this.write(text.replace(CONTROLS, '\ufffd'));
  }

  json(value: unknown): void {
    this.write(JSON.stringify(value).replace(CONTROLS, escaped));
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

  /**
   * A bar that is drawn over on a terminal, else a line now and then.
   * @param share - Of the whole, 0 to 1; a line without a bar where the whole is not known.
   */
  progress(share: number | null, text: string): void {
    if (this.output.isTTY === true) this.draw(share, text);
    else if (share === 1 || this.isTimeForPlain()) this.line(text);
  }

  private draw(share: number | null, text: string): void {
    if (text === this.drawn) return;
    this.drawn = text;
    const bar = share === null ? '' : `${'█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░')} `;
    this.output.write(`${CLEAR_LINE}${bar}${text}${share === 1 ? '\n' : ''}`);
    this.hasOpenBar = share !== 1;
  }

  private isTimeForPlain(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.plainSinceMs < PLAIN_EVERY_MS) return false;
    this.plainSinceMs = nowMs;
    return true;
  }

  private write(text: string): void {
    this.output.write(`${this.hasOpenBar ? CLEAR_LINE : ''}${maskedText(text)}\n`);
    this.hasOpenBar = false;
  }
}

function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
