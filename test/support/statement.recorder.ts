import type { DataSource, Logger } from 'typeorm';

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Every statement that a DataSource sends while `work` runs, as TypeORM's own logger hears of it. */
export async function statementsDuring(
  dataSource: DataSource,
  work: () => Promise<unknown>,
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  const silent = () => undefined;
  const recorder: Logger = {
    logQuery: (sql, parameters) => {
      statements.push({ sql, parameters: (parameters as unknown[] | undefined) ?? [] });
    },
    logQueryError: silent,
    logQuerySlow: silent,
    logSchemaBuild: silent,
    logMigration: silent,
    log: silent,
  };
  const { logger } = dataSource;
  dataSource.logger = recorder;
  try {
    await work();
  } finally {
    dataSource.logger = logger;
  }
  return statements;
}
