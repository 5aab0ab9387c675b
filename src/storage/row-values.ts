import type { ObjectLiteral } from 'typeorm';
import type { Dialect } from './dialect.js';

export interface RowValues {
  /** An expression in which the column `id` says which value is meant. */
  readonly sql: string;
  readonly parameters: ObjectLiteral;
}

export type RowValue = string | number | boolean | null;
export type RowType = 'text' | 'bigint' | 'boolean';

/**
 * A value of its own for each row (by `id`) of one statement: two arrays where the engine has them, else a `CASE`; and
 * nothing to look up where all have the same.
 * @param name - unique within the statement
 */
export function rowValues(
  { family }: Dialect,
  name: string,
  type: RowType,
  values: readonly (readonly [id: string, value: RowValue])[],
): RowValues {
  const [one, ...others] = new Set(values.map(([, value]) => value));
  if (one !== undefined && others.length === 0) {
    const parameters = { [name]: one };
    return { sql: family === 'postgres' ? `CAST(:${name} AS ${type})` : `:${name}`, parameters };
  }
  return family === 'postgres' ? arrayOf(name, type, values) : caseOf(name, values);
}

function arrayOf(name: string, type: RowType, values: readonly (readonly [string, RowValue])[]): RowValues {
  const ids = `CAST(:${name}Ids AS text[])`;
  return {
    sql: `(CAST(:${name} AS ${type}[]))[array_position(${ids}, CAST(id AS text))]`,
    parameters: { [`${name}Ids`]: values.map(([id]) => id), [name]: values.map(([, value]) => value) },
  };
}

function caseOf(name: string, values: readonly (readonly [string, RowValue])[]): RowValues {
  const parameters: ObjectLiteral = {};
  const branches = values.map(([id, value], index) => {
    parameters[`${name}Id${String(index)}`] = id;
    parameters[`${name}${String(index)}`] = value;
    return `WHEN :${name}Id${String(index)} THEN :${name}${String(index)}`;
  });
  return { sql: `CASE id ${branches.join(' ')} END`, parameters };
}
