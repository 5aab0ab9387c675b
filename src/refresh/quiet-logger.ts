import { Logger } from '@nestjs/common';
import type { Clock } from '../domain/clock.js';
import { RepeatedLines } from '../domain/repeated-lines.js';

/** A logger that a failure, repeated ten thousand times, does not flood: equal lines are counted instead. */
export class QuietLogger {
  private readonly logger: Logger;
  private readonly lines: RepeatedLines;

  constructor(context: string, clock: Pick<Clock, 'monotonicMs'>) {
    this.logger = new Logger(context);
    this.lines = new RepeatedLines(clock);
  }

  /** @param kind - What makes lines equal, without ids. */
  warn(kind: string, line: string): void {
    this.write(kind, line, (text) => {
      this.logger.warn(text);
    });
  }

  /** As {@link QuietLogger.warn}. */
  error(kind: string, line: string): void {
    this.write(kind, line, (text) => {
      this.logger.error(text);
    });
  }

  private write(kind: string, line: string, write: (text: string) => void): void {
    const verdict = this.lines.admit(kind);
    if (!verdict.write) return;
    write(verdict.suppressed === 0 ? line : `${line} suppressed=${verdict.suppressed}`);
  }
}
