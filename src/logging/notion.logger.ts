import { Logger } from '@nestjs/common';
import { logLine, type LogFacts } from './log-line.js';
import { maskedText } from './masked-text.js';

/**
 * Everything that this library writes to the log goes through here, to Nest's own logger: an event and its facts, or
 * a sentence. What looks like a secret is masked, at every level.
 */
export class NotionLogger {
  private readonly logger: Logger;

  constructor(context: string) {
    this.logger = new Logger(context);
  }

  debug(event: string, facts: LogFacts = {}): void {
    // It comes with each refresh, and masking has its price.
    if (!Logger.isLevelEnabled('debug')) return;
    this.logger.debug(shown(event, facts));
  }

  log(event: string, facts: LogFacts = {}): void {
    this.logger.log(shown(event, facts));
  }

  warn(event: string, facts: LogFacts = {}): void {
    this.logger.warn(shown(event, facts));
  }

  error(event: string, facts: LogFacts = {}): void {
    this.logger.error(shown(event, facts));
  }
}

function shown(event: string, facts: LogFacts): string {
  return maskedText(Object.keys(facts).length === 0 ? event : logLine(event, facts));
}
