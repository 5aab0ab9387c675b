import type { Logger } from 'typeorm';

/** Keeps the statements that TypeORM sends, without the quotes around names. */
export class StatementLog implements Logger {
  readonly statements: string[] = [];
  readonly parameters: unknown[] = [];

  logQuery(query: string, parameters?: unknown[]): void {
    this.statements.push(query.replaceAll('"', ''));
    this.parameters.push(...(parameters ?? []));
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
