import { NotionStorageUnsupportedError } from '../domain/errors.js';
import { driverCodes } from './database-errors.js';

const GRANT_MYSQL =
  'Grant CREATE, ALTER, INDEX and REFERENCES on the database to this user, or run the migrations with a user that has them.';
const OTHER_NAMES =
  'Notion tables with another entityPrefix or naming strategy are in the same schema, and names of constraints are unique there. Rename or drop those tables, or use another schema.';

/** What to do about it, by the code of the driver: PostgreSQL, MySQL and MariaDB. */
const NEXT_STEPS: ReadonlyMap<string | number, string> = new Map<string | number, string>([
  ['42501', 'Grant CREATE on the schema to this role, or run the migrations with a role that has it.'],
  [1142, GRANT_MYSQL],
  [1044, GRANT_MYSQL],
  ['3F000', 'Create the schema that the option schema of the DataSource names: CREATE SCHEMA.'],
  ['42P07', OTHER_NAMES],
  [1005, OTHER_NAMES],
  [1826, OTHER_NAMES],
]);

/** @returns What to do next, where that is known; else the error as it is, so that a transient one is retried. */
export function explainMigrationFailure(error: unknown, migration?: string): unknown {
  const step = driverCodes(error).flatMap((code) => NEXT_STEPS.get(code) ?? [])[0];
  if (!(error instanceof Error) || step === undefined) return error;
  const what = migration === undefined ? 'The Notion migrations' : `The Notion migration ${migration}`;
  return new NotionStorageUnsupportedError(`${what} failed: ${error.message}. ${step}`, { cause: error });
}
