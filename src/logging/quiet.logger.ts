import type { Clock } from '../domain/clock.js';
import { RepeatedLines } from '../domain/repeated-lines.js';
import type { LogFacts } from './log-line.js';
import { NotionLogger } from './notion.logger.js';

/** A logger that a failure, repeated ten thousand times, does not flood: equal lines are counted instead. */
export class QuietLogger {
  private readonly logger: NotionLogger;
  private readonly lines: RepeatedLines;

  constructor(context: string, clock: Pick<Clock, 'monotonicMs'>) {
    this.logger = new NotionLogger(context);
    this.lines = new RepeatedLines(clock);
  }

  /** @param kind - What makes lines equal, without ids. */
  warn(kind: string, event: string, facts: LogFacts = {}): void {
    this.write(kind, facts, (told) => {
      this.logger.warn(event, told);
    });
  }

  /** As {@link QuietLogger.warn}. */
  error(kind: string, event: string, facts: LogFacts = {}): void {
    this.write(kind, facts, (told) => {
      this.logger.error(event, told);
    });
  }

  private write(kind: string, facts: LogFacts, write: (told: LogFacts) => void): void {
    const verdict = this.lines.admit(kind);
    if (!verdict.write) return;
    write(verdict.suppressed === 0 ? facts : { ...facts, suppressed: verdict.suppressed });
  }
}
