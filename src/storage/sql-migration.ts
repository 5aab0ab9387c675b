import type { DataSourceOptions, MigrationInterface, QueryRunner } from 'typeorm';
import { explainMigrationFailure } from './migration-failure.js';
import { binaryCollation } from './migrations/binary-collation.js';

export type MigrationClass = new () => MigrationInterface & { readonly name: string };

export interface MigrationStatements {
  /** On MySQL a function of the collation. `IF NOT EXISTS`: the tables may come from `synchronize: true`. */
  readonly up: readonly string[] | ((collation: string) => readonly string[]);
  readonly down: readonly string[];
}

/**
 * A migration of SQL statements. They name each table as its entity does; the DataSource's schema, `entityPrefix` and
 * naming strategy are applied when they run.
 * @param name - With the timestamp at its end. TypeORM would otherwise take the name of the class, which bundlers change.
 */
export function sqlMigration(name: string, { up, down }: MigrationStatements): MigrationClass {
  return class implements MigrationInterface {
    readonly name = name;

    async up(runner: QueryRunner): Promise<void> {
      try {
        await run(runner, typeof up === 'function' ? up(await binaryCollation(runner)) : up);
      } catch (error) {
        throw explainMigrationFailure(error, name);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      await run(runner, down);
    }
  };
}

const TABLE_NAME = /\b(TABLE(?: IF NOT EXISTS)?|ON|REFERENCES) "?(notion_\w+)"?/g;

async function run(runner: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await runner.query(
      statement.replace(
        TABLE_NAME,
        (_, before: string, table: string) => `${before} ${tablePath(runner, table)}`,
      ),
    );
  }
}

/** As the entity's metadata has it; an application may run migrations over a DataSource without entities. */
function tablePath({ connection }: QueryRunner, name: string): string {
  const { driver, namingStrategy, entityMetadatas } = connection;
  const { schema, entityPrefix = '' } = connection.options as DataSourceOptions & { schema?: string };
  const entity = entityMetadatas.find(({ givenTableName }) => givenTableName === name);
  const path =
    entity?.tablePath ?? driver.buildTableName(namingStrategy.prefixTableName(entityPrefix, name), schema);
  return path
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}
