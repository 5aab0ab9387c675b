import { inspect } from 'node:util';
import type { Logger } from 'typeorm';

function print(...parts: readonly unknown[]): void {
  process.stdout.write(`${inspect(parts, { depth: 4, maxStringLength: Infinity })}\n`);
}

/** TypeORM with `logging: 'all'`: every statement with its parameters. */
export const STATEMENTS_TO_OUTPUT: Logger = {
  logQuery: (sql, given) => {
    print(sql, given);
  },
  logQueryError: (error, sql, given) => {
    print(error, sql, given);
  },
  logQuerySlow: (took, sql, given) => {
    print(took, sql, given);
  },
  logSchemaBuild: print,
  logMigration: print,
  log: (level, message: unknown) => {
    print(level, message);
  },
};
